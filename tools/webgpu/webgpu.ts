import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { startOwnService } from '../eval/own-service.ts';
import { softwareGpu } from './software-gpu.ts';

const USAGE = 'usage: npm run webgpu -- [FOLDER ...] [--all] [--own-gpu]';
const FOLDERS = join(
  import.meta.dirname,
  '../../libs/infrastructure/local-embeddings/fixture/reference-models',
);
/** One of each kind of graph. */
const USUAL = ['bert-mean', 'roberta', 'modernbert', 'qwen3'];
/** Of what the library gives, as on the CPU. */
const EQUAL = 1e-5;
/** Sines and cosines of WebGPU, in which positions are told, may be 2^-11 apart (WGSL's accuracy), and those in software are. */
const NEAR = 2e-3;

interface ReferenceRow {
  readonly text: string;
  /** Null where it is not finite. */
  readonly vector: readonly number[] | null;
}

interface Readiness {
  readonly info: { readonly model: { readonly device: string; readonly notes: readonly string[] } };
}

/** How vectors differ from those of the library. */
interface FolderComparison {
  /** Where the graph ran, and why not elsewhere. */
  readonly device: string;
  readonly notes: readonly string[];
  readonly texts: number;
  /** Of any value, the largest. */
  readonly difference: number;
  readonly readyMs: number;
}

/**
 * Shows what a service with `EMBEDDING_DEVICE=auto` makes of reference folders on a machine without a GPU: graphs run on WebGPU, in
 * software, which takes its time, and give the vectors of the library, or they are left to the CPU with the reason.
 * @throws Error where vectors are others, or WebGPU ran no graph at all.
 */
async function main(args: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { all: { type: 'boolean', default: false }, 'own-gpu': { type: 'boolean', default: false } },
  });
  const known = readdirSync(FOLDERS, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const names = values.all ? known : positionals.length > 0 ? positionals : USUAL;
  for (const name of names) if (!known.includes(name)) throw new UsageError(`no such folder: ${name}`);
  const env = values['own-gpu'] ? process.env : await softwareGpu();
  let onWebgpu = 0;
  const apart: string[] = [];
  for (const name of names) {
    const told = await compared(name, env);
    if (told.device === 'webgpu') onWebgpu += 1;
    const isNear = told.difference < NEAR;
    if (!isNear) apart.push(name);
    const judgement = told.difference < EQUAL ? 'equal' : isNear ? 'near ' : 'APART';
    console.log(`${judgement}  ${name}: ${inWords(told)}`);
  }
  console.log(`${onWebgpu} of ${names.length} folders on WebGPU`);
  if (apart.length > 0 || onWebgpu === 0) throw new Error(`apart: ${apart.join(', ') || 'WebGPU ran none'}`);
}

async function compared(name: string, env: NodeJS.ProcessEnv): Promise<FolderComparison> {
  const folder = join(FOLDERS, name);
  const all = JSON.parse(await readFile(join(folder, 'ref.json'), 'utf8')) as readonly ReferenceRow[];
  // OpenAI's API takes no empty text.
  const rows = all.flatMap(({ text, vector }) => (vector && text !== '' ? [{ text, vector }] : []));
  const begunAt = performance.now();
  using service = await startOwnService({ ...env, EMBEDDING_MODEL: folder, EMBEDDING_DEVICE: 'auto' });
  const readyMs = performance.now() - begunAt;
  const { info } = (await (await fetch(new URL('/readyz', service.origin))).json()) as Readiness;
  const texts = rows.map(({ text }) => text);
  const vectors = await vectorsOf(service.origin, texts);
  const differences = rows.flatMap(({ vector }, row) =>
    vector.map((value, at) => Math.abs(value - (vectors[row]?.[at] ?? NaN))),
  );
  const { device, notes } = info.model;
  return { device, notes, texts: texts.length, difference: Math.max(...differences), readyMs };
}

async function vectorsOf(origin: string, input: readonly string[]): Promise<number[][]> {
  const response = await fetch(new URL('/v1/embeddings', origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'default', input }),
  });
  if (!response.ok) throw new Error(await response.text());
  const { data } = (await response.json()) as { readonly data: readonly { readonly embedding: number[] }[] };
  return data.map(({ embedding }) => embedding);
}

function inWords({ device, notes, texts, difference, readyMs }: FolderComparison): string {
  const why = device === 'webgpu' ? [] : notes.filter((note) => note.startsWith('webgpu'));
  const figures = `${texts} texts on ${device}, ${difference.toExponential(1)} apart at the most, ready in ${(readyMs / 1_000).toFixed(1)} s`;
  return [figures, ...why].join('; ');
}

await runTool(USAGE, main);
