import { posix } from 'node:path';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { MODULE_WEIGHTS, requireWeights } from './module-settings.reader.ts';
import { readIntegers, readStoredTensors, type StoredTensor } from '../safetensors-file.ts';

/** The vectors of all tokens of a static model, and where the file has them. */
export interface TokenTable {
  /** The file, relative to the folder. */
  readonly file: string;
  readonly embeddings: StoredTensor;
  /** A factor for each token. */
  readonly weights?: StoredTensor | undefined;
  /** The row of `embeddings` for each token, where tokens share rows. */
  readonly mapping?: StoredTensor | undefined;
  /** Whether it is Model2Vec's alone: see {@link isOfModel2Vec}. */
  readonly isOfModel2Vec: boolean;
  /** How many tokens it has vectors for. */
  readonly tokens: number;
  readonly dimensions: number;
  /** Number format, by its name in the configuration where it has one there. */
  readonly dtype: string;
}

/** What sentence-transformers and Model2Vec call the vectors. */
const TABLE_NAMES = ['embedding.weight', 'embeddings'];
/** What only Model2Vec reads. */
const [WEIGHTS, MAPPING] = ['weights', 'mapping'];
const FORMATS: Readonly<Record<string, string>> = {
  F64: 'fp64',
  F32: 'fp32',
  F16: 'fp16',
  BF16: 'bf16',
  I8: 'int8',
};

/** The file of a table, in the folder of its module. */
export function tableFile(root: string): string {
  return posix.join(root, MODULE_WEIGHTS);
}

/**
 * Whether a table has parts that sentence-transformers would leave out, or a number format that it cannot open: then the folder is
 * Model2Vec's alone, whatever its `modules.json` says. False where the file is not there yet.
 */
export async function isOfModel2Vec(folder: ModelFolder, root: string): Promise<boolean> {
  if (!folder.has(tableFile(root))) return false;
  return isOnlyOfModel2Vec(await readStoredTensors(folder, tableFile(root)));
}

function isOnlyOfModel2Vec(tensors: ReadonlyMap<string, StoredTensor>): boolean {
  return [WEIGHTS, MAPPING].some((name) => tensors.has(name)) || tensors.get('embeddings')?.dtype === 'I8';
}

/** @param root folder of the module. @throws ModelLoadError for a table that is missing, damaged, or not understood */
export async function readTokenTable(folder: ModelFolder, root: string): Promise<TokenTable> {
  requireWeights(folder, root);
  const file = tableFile(root);
  const tensors = await readStoredTensors(folder, file);
  const name = TABLE_NAMES.find((key) => tensors.has(key));
  const embeddings = name === undefined ? undefined : tensors.get(name);
  if (name === undefined || !embeddings)
    throw new ModelLoadError(
      `${file} has no ${TABLE_NAMES.join(' or ')}, only: ${[...tensors.keys()].join(', ')}`,
    );
  const dtype = FORMATS[embeddings.dtype];
  if (dtype === undefined)
    throw new ModelLoadError(
      `${file}: ${name} has the number format ${embeddings.dtype}; ${Object.keys(FORMATS).join(', ')} are understood`,
    );
  const [rows = 0, dimensions = 0, ...more] = embeddings.shape;
  if (rows === 0 || dimensions === 0 || more.length > 0)
    throw new ModelLoadError(
      `${file}: ${name} is [${embeddings.shape.join(', ')}] and should be [tokens, dimensions]`,
    );
  const [weights, mapping] = [tensors.get(WEIGHTS), tensors.get(MAPPING)];
  const tokens = mapping?.shape[0] ?? rows;
  for (const [key, tensor] of [
    [WEIGHTS, weights],
    [MAPPING, mapping],
  ] as const) {
    if (tensor === undefined || tensor.shape.join(', ') === String(tokens)) continue;
    throw new ModelLoadError(`${file}: ${key} is [${tensor.shape.join(', ')}] and should be [${tokens}]`);
  }
  if (weights && !(weights.dtype in FORMATS))
    throw new ModelLoadError(`${file}: ${WEIGHTS} has the number format ${weights.dtype}, which is no float`);
  if (mapping) await checkMapping(folder, file, { mapping, rows });
  const isOfModel2Vec = isOnlyOfModel2Vec(tensors);
  return { isOfModel2Vec, file, embeddings, weights, mapping, tokens, dimensions, dtype };
}

async function checkMapping(
  folder: ModelFolder,
  file: string,
  { mapping, rows }: { readonly mapping: StoredTensor; readonly rows: number },
): Promise<void> {
  const bad = (await readIntegers(folder, file, MAPPING, mapping)).find((row) => row < 0 || row >= rows);
  if (bad === undefined) return;
  throw new ModelLoadError(`${file}: ${MAPPING} names row ${bad} of ${rows}`);
}
