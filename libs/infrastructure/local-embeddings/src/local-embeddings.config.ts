import { apiKeySetting, httpUrl, MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';
import { BACKENDS, DEVICES, POOLING_MODES } from './model/embedding-model.types.ts';

/** The weights that may be asked for; the names are those of transformers.js. */
const DTYPES = ['auto', 'fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'] as const;

/** The `model` section of embedding-service's configuration. */
export const localEmbeddingsConfig = z
  .strictObject({
    model: setting(z.string().min(1).default('bundled'), {
      env: 'EMBEDDING_MODEL',
      doc: '`bundled`, a folder in Hugging Face layout (a path with a `/` or `.` in front), or a hub id such as `Xenova/all-MiniLM-L6-v2`.',
    }),
    name: setting(z.string().min(1).optional(), {
      env: 'EMBEDDING_MODEL_NAME',
      doc: 'Id under which the model is served. By default the hub id, which a folder in the cache of the hub has too, or the name of the folder.',
    }),
    revision: setting(z.string().min(1).default('main'), {
      env: 'EMBEDDING_MODEL_REVISION',
      doc: 'Branch, tag or commit of a hub model. Refused for any other.',
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
    backend: setting(z.enum(['auto', ...BACKENDS]).default('auto'), {
      env: 'EMBEDDING_BACKEND',
      doc: 'Who says how vectors are made: `sentence-transformers` (`modules.json`), `transformers` (the library transformers.js), `onnx` (any graph with `tokenizer.json`), `fastembed`, `model2vec` (a table of vectors of tokens), or `cross-encoder`, which ranks texts. `auto` finds it from the files of the folder.',
    }),
    device: setting(z.enum(['auto', ...DEVICES]).default('cpu'), {
      env: 'EMBEDDING_DEVICE',
      doc: 'Where the graph runs. `auto` takes the first of `cuda`, `webgpu`, `cpu` that works, and logs why the others do not.',
    }),
    dtype: setting(z.enum(DTYPES).default('auto'), {
      env: 'EMBEDDING_DTYPE',
      doc: 'Number format of the weights, one of those that the model offers, such as `fp32`, `fp16` or `q8`. `auto` takes what is there: `fp32` first, on a GPU `fp16` first.',
    }),
    graphFile: setting(z.string().min(1).optional(), {
      env: 'EMBEDDING_GRAPH_FILE',
      doc: 'The ONNX file, relative to the folder, where its name is not a usual one.',
    }),
    graphInputs: setting(z.array(z.string().regex(/^\w+=.+$/, 'must be like input_ids=NAME')).optional(), {
      env: 'EMBEDDING_GRAPH_INPUTS',
      doc: 'What the inputs of the graph take where their names are not the usual ones: `input_ids=NAME`, `attention_mask=NAME`, `token_type_ids=NAME`, `position_ids=NAME`; or a number for an input that takes the same for every text, as in `4=task_id`.',
    }),
    graphOutput: setting(z.string().min(1).optional(), {
      env: 'EMBEDDING_GRAPH_OUTPUT',
      doc: 'The output of the graph that holds the vectors, of tokens or of texts, where it cannot be guessed.',
    }),
    pooling: setting(
      z
        .array(z.enum(POOLING_MODES))
        .min(1)
        .refine((modes) => new Set(modes).size === modes.length, 'names a mode twice')
        .optional(),
      {
        env: 'EMBEDDING_POOLING',
        doc: 'How the vectors of tokens become one, where the folder does not say it: one or more (then concatenated) of `cls`, `max`, `mean`, `mean_sqrt_len_tokens`, `weightedmean`, `lasttoken`.',
      },
    ),
    normalize: setting(z.boolean().optional(), {
      env: 'EMBEDDING_NORMALIZE',
      doc: 'Whether vectors are scaled to length 1, where the folder does not say it. By default they are, but for models that are known to be made for dot products.',
    }),
    truncateDimensions: setting(z.int().min(1).optional(), {
      env: 'EMBEDDING_TRUNCATE_DIMENSIONS',
      doc: 'Values of a vector that are kept, for models that are trained for it. By default what the folder says, else all.',
    }),
    promptName: setting(z.string().min(1).optional(), {
      env: 'EMBEDDING_PROMPT_NAME',
      doc: "The model's prompt that stands before texts, by its name in `config_sentence_transformers.json`. By default the one that is the default there, if any.",
    }),
    maxTokens: setting(z.int().min(8).optional(), {
      env: 'EMBEDDING_MAX_TOKENS',
      doc: 'Tokens of a text that are used at most. By default, and at most, the limit that the model states; 512 where it states none, 8,192 for static models of sentence-transformers.',
    }),
    truncate: setting(z.boolean().default(true), {
      env: 'EMBEDDING_TRUNCATE',
      doc: 'Whether a text above the limit is cut (and marked `truncated`) or refused. A request may say otherwise.',
    }),
    workers: setting(z.int().min(1).max(64).optional(), {
      env: 'EMBEDDING_WORKERS',
      doc: 'Processes that compute, each with a copy of the model. By default one for each CPU of the quota, as long as half of the memory is left for batches: two with one thread each do more than one with two. Where the graph runs on a GPU it is one: each holds a copy there too.',
    }),
    threads: setting(z.int().min(1).max(256).optional(), {
      env: 'EMBEDDING_THREADS',
      doc: 'Threads that one of them computes with. By default the CPUs of the quota divided by the number of workers that is configured; one where none is.',
    }),
    batchSize: setting(z.int().min(1).max(1024).default(32), {
      env: 'EMBEDDING_BATCH_SIZE',
      doc: 'Texts in one batch at most.',
    }),
    batchTokens: setting(z.int().min(1).default(8_192), {
      env: 'EMBEDDING_BATCH_TOKENS',
      doc: 'Tokens in one batch at most, a longer text goes alone: what a single text waits for beside a large call.',
    }),
    queueTokens: setting(z.int().min(1).default(262_144), {
      env: 'EMBEDDING_QUEUE_TOKENS',
      doc: 'Tokens that may wait before further calls get 429 `queue_full`. A call counts with an eighth of it at most: calls take turns. Calls of more than 1/256 of it (1,024 by default) have seven eighths together: queries of a search come in beside any number of them. Callers of one API key have three quarters at most of what those of others leave, and equal shares of batches.',
    }),
    memoryLimitMb: setting(z.int().min(64).optional(), {
      env: 'EMBEDDING_MEMORY_LIMIT_MB',
      doc: 'Memory of the whole service in MiB, which no batch may cross. By default, and at most, the limit of the container, or what the machine has.',
    }),
    taskTimeoutMs: setting(z.int().min(100).max(MAX_TIMER_MS).default(300_000), {
      env: 'EMBEDDING_TASK_TIMEOUT_MS',
      doc: 'How long a process may be at one batch, in milliseconds; one that takes longer counts as hung and is replaced. Its texts are tried once more, one by one.',
    }),
    loadTimeoutMs: setting(z.int().min(100).max(MAX_TIMER_MS).default(900_000), {
      env: 'EMBEDDING_LOAD_TIMEOUT_MS',
      doc: 'How long a process may take to load the model, its download not included, in milliseconds; one that takes longer counts as hung and is ended. At the start that ends the service, later another takes its place.',
    }),
    idleRestartMs: setting(z.int().min(100).max(MAX_TIMER_MS).default(15_000), {
      env: 'EMBEDDING_IDLE_RESTART_MS',
      doc: 'Idle time after which a process that has grown by more than 5 % and 16 MiB is replaced, to give its memory back; twice as much where it has not worked for ten times as long as it loaded.',
    }),
  })
  .prefault({});

/** With every default filled in. */
export type LocalEmbeddingsConfig = z.output<typeof localEmbeddingsConfig>;
