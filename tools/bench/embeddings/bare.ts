import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RUN_SOURCES } from '@morgan/testing';
import type { BareFigures, BareTask } from './bare-runtime.ts';
import type { BenchModel } from './bench-models.ts';
import type { TextKind } from './bench-texts.ts';

const PROGRAM = join(import.meta.dirname, 'bare-runtime.ts');
const BATCHES = [1, 8, 32, 128];
const THREADS = [1, 2];
/** Of a round, what one of the tries takes. */
const TRIED_SHARE = 1 / 8;

/** How the bare runtime is fed. */
export type BareSettings = Pick<BareTask, 'batch' | 'threads'>;

/** The batch and the threads with which the bare runtime does most with a second of processor time. */
export async function bestSettings(model: BenchModel, kind: TextKind): Promise<BareSettings> {
  let best = { settings: { batch: 1, threads: 1 }, rate: 0 };
  for (const batch of BATCHES) {
    for (const threads of THREADS) {
      const texts = Math.ceil(model.texts[kind] * TRIED_SHARE);
      const { textsPerCpuSecond: rate } = await runBare(model, { kind, texts, batch, threads });
      if (rate > best.rate) best = { settings: { batch, threads }, rate };
    }
  }
  return best.settings;
}

/** One round of the bare runtime in a process of its own. */
export async function runBare(
  { folder, plainFolder = folder }: BenchModel,
  task: Omit<BareTask, 'folder' | 'seed' | 'alone'> & { readonly alone?: boolean },
): Promise<BareFigures> {
  const full: BareTask = { folder: plainFolder, seed: 0, alone: false, ...task };
  // The tokenizer has threads of its own.
  const env = { PATH: process.env['PATH'], RAYON_NUM_THREADS: String(task.threads) };
  const args = [...RUN_SOURCES, PROGRAM, JSON.stringify(full)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as BareFigures;
}

export function describe({ batch, threads }: BareSettings): string {
  return `bare tokenizer and onnxruntime, batch ${batch}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
