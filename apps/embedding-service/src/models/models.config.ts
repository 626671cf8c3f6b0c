import { localEmbeddingsConfig, type LocalEmbeddingsConfig } from '@morgan/local-embeddings';
import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';

const MOST_MODELS = 32;
const { shape } = localEmbeddingsConfig.unwrap();

/** What a further model may have of its own. */
const furtherModel = z.strictObject({
  model: z.string().min(1),
  name: shape.name,
  revision: shape.revision,
  backend: shape.backend,
  device: shape.device,
  dtype: shape.dtype,
  graphFile: shape.graphFile,
  graphInputs: shape.graphInputs,
  graphOutput: shape.graphOutput,
  pooling: shape.pooling,
  normalize: shape.normalize,
  truncateDimensions: shape.truncateDimensions,
  promptName: shape.promptName,
  maxTokens: shape.maxTokens,
  truncate: z.boolean().optional(),
  workers: shape.workers,
  threads: shape.threads,
});

/** What is said of the files of one model, and would be wrong of any other. */
const OF_ITS_FILES = {
  name: undefined,
  graphFile: undefined,
  graphInputs: undefined,
  graphOutput: undefined,
  pooling: undefined,
  normalize: undefined,
  truncateDimensions: undefined,
  promptName: undefined,
} satisfies Partial<LocalEmbeddingsConfig>;

/** The settings of a further model: its own, and those of the first that are not about the files of that one. */
export function furtherModelConfig<First extends object, Own extends object>(first: First, own: Own) {
  return { ...first, ...OF_ITS_FILES, ...own };
}

/** `NAME=MODEL` or `MODEL` alone, as it stands in the environment. */
function fromText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const at = value.indexOf('=');
  return at < 0 ? { model: value } : { name: value.slice(0, at).trim(), model: value.slice(at + 1).trim() };
}

/** The `further` section of the configuration: models besides the first. */
export const modelsConfig = z
  .strictObject({
    models: setting(z.array(z.preprocess(fromText, furtherModel)).max(MOST_MODELS).default([]), {
      env: 'EMBEDDING_FURTHER_MODELS',
      doc: 'Models besides the first, each `MODEL` or `NAME=MODEL` with a model as EMBEDDING_MODEL takes it; in the file also objects with the settings of `model`. One is loaded when a request first names it, and unloaded again when it is idle or another one needs its memory.',
    }),
    idleMs: setting(z.int().min(0).max(MAX_TIMER_MS).default(900_000), {
      env: 'EMBEDDING_FURTHER_IDLE_MS',
      doc: 'Idle time after which such a model is unloaded, in milliseconds; 0: only for the memory of another one.',
      needs: 'further.models',
    }),
  })
  .prefault({});
