import { apiKeySetting, httpUrl, setting } from '@morgan/foundation';
import { z } from 'zod';

/** The weights that onnxruntime may be asked for; the names are those of transformers.js. */
const DTYPES = ['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'] as const;

/** The `model` section of embedding-service's configuration. */
export const localEmbeddingsConfig = z
  .strictObject({
    model: setting(z.string().min(1).default('bundled'), {
      env: 'EMBEDDING_MODEL',
      doc: '`bundled`, a folder in Hugging Face layout (a path with a `/` or `.` in front), or a hub id such as `Xenova/all-MiniLM-L6-v2`.',
    }),
    name: setting(z.string().min(1).optional(), {
      env: 'EMBEDDING_MODEL_NAME',
      doc: 'Id under which the model is served. By default the hub id or the name of the folder.',
    }),
    revision: setting(z.string().min(1).default('main'), {
      env: 'EMBEDDING_MODEL_REVISION',
      doc: 'Branch, tag or commit of a hub model.',
    }),
    hubUrl: setting(httpUrl().default('https://huggingface.co'), {
      env: 'EMBEDDING_HUB_URL',
      doc: 'Where hub ids are downloaded from: the hub or a mirror of it.',
    }),
    hubToken: setting(apiKeySetting.optional(), {
      env: 'HF_TOKEN',
      doc: 'Access token of the hub, for models that not everybody may read.',
      secret: true,
    }),
    cacheDir: setting(z.string().min(1).default('.cache/models'), {
      env: 'EMBEDDING_CACHE_DIR',
      doc: 'Folder that keeps downloaded models.',
    }),
    dtype: setting(z.enum(DTYPES).default('fp32'), {
      env: 'EMBEDDING_DTYPE',
      doc: 'Number format of the weights, one of those that the model offers, such as `fp32` or `q8`.',
    }),
    maxTokens: setting(z.int().min(8).optional(), {
      env: 'EMBEDDING_MAX_TOKENS',
      doc: "Tokens of a text that are used at most. By default, and at most, the model's own limit.",
    }),
    truncate: setting(z.boolean().default(true), {
      env: 'EMBEDDING_TRUNCATE',
      doc: 'Whether a text above the limit is cut (and marked `truncated`) or refused. A request may say otherwise.',
    }),
    workers: setting(z.int().min(1).max(64).default(1), {
      env: 'EMBEDDING_WORKERS',
      doc: 'Worker threads, each with a copy of the model.',
    }),
    threads: setting(z.int().min(1).max(256).optional(), {
      env: 'EMBEDDING_THREADS',
      doc: 'Threads that one worker computes with. By default the cores divided by the workers.',
    }),
    batchSize: setting(z.int().min(1).max(1024).default(32), {
      env: 'EMBEDDING_BATCH_SIZE',
      doc: 'Texts in one batch at most.',
    }),
    queueLimit: setting(z.int().min(1).default(4096), {
      env: 'EMBEDDING_QUEUE_LIMIT',
      doc: 'Texts that may wait for a worker; a request beyond that gets 503 `queue_full`.',
    }),
  })
  .prefault({});

export type LocalEmbeddingsConfig = z.output<typeof localEmbeddingsConfig>;
