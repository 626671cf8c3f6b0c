import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ModelSource } from './model-source.ts';
import type { Pooling } from './pooling.ts';

/** What a folder must have besides weights to be a model. */
export const REQUIRED_FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
/** What a folder may have: how sentence-transformers makes one vector of many. */
export const SENTENCE_FILES = ['modules.json', '1_Pooling/config.json', 'sentence_bert_config.json'];

/** Where the files of a model are, or will be once they are downloaded. */
export function modelFolder(source: ModelSource): string {
  if (source.kind === 'folder') return source.path;
  const { cacheDir, revision, id } = source;
  return join(cacheDir, revision === 'main' ? '' : encodeURIComponent(revision), id);
}

/** The weights of a number format, under the names of transformers.js. */
export function weightsFile(dtype: string): string {
  if (dtype === 'fp32') return 'onnx/model.onnx';
  return `onnx/model_${dtype === 'q8' ? 'quantized' : dtype}.onnx`;
}

/** @returns the first file without which the folder is no model, if one is missing. */
export function missingFile(folder: string, dtype: string): string | undefined {
  return [...REQUIRED_FILES, weightsFile(dtype)].find((file) => !existsSync(join(folder, file)));
}

/**
 * SHA-256 over every file that the vectors depend on. Two models that share a name must never share cached vectors, and
 * a branch of the hub or a folder may hold another model tomorrow.
 */
export async function digestModel(folder: string, dtype: string): Promise<string> {
  // Large models have further files that begin with the same name.
  const first = basename(weightsFile(dtype));
  const weights = (await readdir(join(folder, 'onnx'))).filter((name) => name.startsWith(first));
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

/** What sentence-transformers keeps beside a model. */
export interface SentenceSettings {
  readonly pooling: Pooling;
  readonly normalise: boolean;
  readonly maxTokens: number | undefined;
}

/** Reads pooling, normalisation and length limit. A model without these files is pooled by mean and normalised. */
export async function readSentenceSettings(folder: string): Promise<SentenceSettings> {
  const [modules, pooling, sentence] = await Promise.all(
    SENTENCE_FILES.map((file) => readJson(join(folder, file))),
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

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
