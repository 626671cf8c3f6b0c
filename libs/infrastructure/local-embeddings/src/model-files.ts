import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hubFetch } from './hub-fetch.ts';
import type { Pooling } from './pooling.ts';
import type { ModelSource } from './worker-protocol.ts';

const REQUIRED_FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const SENTENCE_FILES = ['modules.json', '1_Pooling/config.json', 'sentence_bert_config.json'];

/** The folder under which the hub's models of this revision are kept, `<id>/<file>`. */
export function hubCacheDir({ cacheDir, revision }: Extract<ModelSource, { kind: 'hub' }>): string {
  return revision === 'main' ? cacheDir : join(cacheDir, encodeURIComponent(revision));
}

/** Where the files of a model are, or will be once they are downloaded. */
export function modelFolder(source: ModelSource): string {
  return source.kind === 'folder' ? source.path : join(hubCacheDir(source), source.id);
}

/** @throws Error naming the first file without which a folder is no model. */
export function assertModelFiles(folder: string): void {
  const missing = REQUIRED_FILES.find((file) => !existsSync(join(folder, file)));
  if (missing) throw new Error(`${missing} is missing there`);
}

/**
 * SHA-256 over every file that the vectors depend on. Two models that share a name must never share cached vectors, and
 * a branch of the hub or a folder may hold another model tomorrow.
 */
export async function digestModel(source: ModelSource, dtype: string): Promise<string> {
  const folder = modelFolder(source);
  const weights = (await readdir(join(folder, 'onnx'))).filter((name) => name.startsWith(weightsFile(dtype)));
  const hash = createHash('sha256');
  for (const file of [
    ...REQUIRED_FILES,
    ...SENTENCE_FILES,
    ...weights.sort().map((name) => `onnx/${name}`),
  ]) {
    hash.update(`${file}\0`);
    if (existsSync(join(folder, file)))
      for await (const chunk of createReadStream(join(folder, file))) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

/** The file names of transformers.js: large models have further files that begin with the same name. */
function weightsFile(dtype: string): string {
  if (dtype === 'fp32') return 'model.onnx';
  return `model_${dtype === 'q8' ? 'quantized' : dtype}.onnx`;
}

/** What sentence-transformers keeps beside a model. */
export interface SentenceSettings {
  readonly pooling: Pooling;
  readonly normalise: boolean;
  readonly maxTokens: number | undefined;
}

/** Reads pooling, normalisation and length limit. A model without these files is pooled by mean and normalised. */
export async function readSentenceSettings(source: ModelSource): Promise<SentenceSettings> {
  const [modules, pooling, sentence] = await Promise.all(
    SENTENCE_FILES.map((file) => readJson(source, file)),
  );
  const limit = asRecord(sentence)['max_seq_length'];
  return {
    pooling: poolingOf(asRecord(pooling)),
    normalise:
      !Array.isArray(modules) || modules.some((part) => /Normalize$/.test(String(asRecord(part)['type']))),
    maxTokens: typeof limit === 'number' ? limit : undefined,
  };
}

function poolingOf(config: Readonly<Record<string, unknown>>): Pooling {
  if (config['pooling_mode_cls_token'] === true) return 'cls';
  if (config['pooling_mode_lasttoken'] === true) return 'lasttoken';
  if (config['pooling_mode_max_tokens'] === true) return 'max';
  return 'mean';
}

async function readJson(source: ModelSource, file: string): Promise<unknown> {
  const cached = join(modelFolder(source), file);
  const known = await readOrNull(cached);
  if (known !== null || source.kind === 'folder') return parseOrNull(known);
  const revision = encodeURIComponent(source.revision);
  const url = `${source.hubUrl.replace(/\/$/, '')}/${source.id}/resolve/${revision}/${file}`;
  const text = await download(url, hubFetch(source));
  await mkdir(dirname(cached), { recursive: true });
  // "There is none" is remembered as well, so that the next start needs no network.
  await writeFile(cached, text ?? 'null');
  return parseOrNull(text);
}

async function download(url: string, get: typeof fetch): Promise<string | null> {
  const response = await get(url, { signal: AbortSignal.timeout(30_000) });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`the hub answered ${response.status} for ${url}`);
  return response.text();
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseOrNull(text: string | null): unknown {
  return text === null ? null : (JSON.parse(text) as unknown);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
