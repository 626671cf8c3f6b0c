import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { cachedRepository } from './cached-repository.ts';
import type { Backend, PoolingMode } from '../embedding-model.types.ts';
import type { ModelFolder } from '../model-folder.ts';

/** What copies add to the name of a model. */
const COPY = /([-_](onnx|q[48]?|qu?int8|u?int[48]|fp16|fp32|quant(ized)?|optimized|o[1-4]|cpu|gpu))+$/i;
/** Models whose `1_Pooling` says `cls`, by the beginning of their names. */
const FIRST_TOKEN = named([
  'allenai-specter$',
  'bce-embedding-base_v1$',
  'bge-(small|base|large)-(en|zh)(-noinstruct|-v1\\.5)?$',
  'bge-m3$',
  'coderankembed$',
  'granite-embedding-(?!reranker)',
  'gte-(base|large)-en-v1\\.5$',
  'gte-(multilingual|modernbert)-base$',
  'medembed-(small|base|large)-v0\\.1$',
  'msmarco-distilbert-base-tas-b$',
  'multi-qa-[\\w-]+-dot-v1$',
  'mxbai-embed-(2d-)?large-v1$',
  'scincl$',
  'snowflake-arctic-embed-(xs|s|m|l)(-long|-v\\d\\.\\d)?$',
  'uae-large-v1$',
]);
/** Decoders, of which the last token has read the whole text. */
const LAST_TOKEN = named(['qwen3-embedding-\\d+(\\.\\d+)?b$']);
/** Of FastEmbed, which takes the first token otherwise, and scales it. */
const MEAN_OF_FASTEMBED = named(['paraphrase-multilingual-']);
/** Models that are made for dot products: their vectors are as long as the graph makes them. */
const UNSCALED = named([
  'allenai-specter$',
  'msmarco-[\\w-]+-dot-v\\d$',
  'msmarco-distilbert-base-tas-b$',
  'multi-qa-[\\w-]+-dot-v1$',
]);
/** Models with a Dense behind their pooling. */
const DENSE = named([
  'clip-vit-b-32-multilingual-v1$',
  'conan-embedding-v1$',
  'distiluse-base-',
  'embeddinggemma-',
  'gtr-t5-',
  'instructor-(base|large|xl)$',
  'labse(-en-ru)?$',
  'mdbr-leaf-(ir|mt)$',
  'piccolo-large-zh-v2$',
  'sentence-t5-',
  'stella[_-]en[_-]',
  'stella-[\\w.-]+-1792d$',
  'xiaobu-embedding-v2$',
  'zpoint_large_embedding_zh$',
]);

function named(patterns: readonly string[]): RegExp {
  return new RegExp(`^(${patterns.join('|')})`, 'i');
}

const configSchema = z.looseObject({ _name_or_path: z.string().optional().catch(undefined) });

/** What is known of a model by its name. */
interface KnownModel {
  readonly name: string;
  /** How its token vectors become one, where the backend would guess it otherwise. */
  readonly pooling?: PoolingMode;
  /** Whether its vectors are not scaled to length 1. */
  readonly isUnscaled?: boolean;
  /** Whether a layer behind pooling makes its vectors. */
  readonly hasDense?: true;
}

/**
 * Finds a widely used model by the name in config.json or that of the folder. Copies in ONNX often come without the files that say
 * how its vectors are made, and those of a guess would pass for its own.
 */
export async function findKnownModel(folder: ModelFolder, backend: Backend): Promise<KnownModel | undefined> {
  const { _name_or_path: origin = '' } = (await folder.read('config.json', configSchema)) ?? {};
  // A link may be called as it likes.
  const places = [origin, folder.path, await realpath(folder.path)];
  for (const name of places.flatMap(namesOf)) {
    if (DENSE.test(name)) return { name, hasDense: true };
    if (LAST_TOKEN.test(name)) return { name, pooling: 'lasttoken' };
    const isUnscaled = UNSCALED.test(name);
    if (FIRST_TOKEN.test(name)) return { name, pooling: 'cls', isUnscaled };
    if (backend === 'fastembed' && MEAN_OF_FASTEMBED.test(name))
      return { name, pooling: 'mean', isUnscaled: true };
    if (isUnscaled) return { name, isUnscaled };
  }
  return undefined;
}

/** What a model may be called by where it is, or was when it was saved. */
function namesOf(path: string): readonly string[] {
  const name = basename(cachedRepository(path) ?? path).replace(COPY, '');
  // As older versions of sentence-transformers kept it: OWNER_NAME.
  return [name, name.replace(/^[^_]+_/, '')];
}
