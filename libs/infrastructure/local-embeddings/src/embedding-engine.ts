import { AutoModel, AutoTokenizer, env, LogLevel, Tensor } from '@huggingface/transformers';
import { groupByLength } from './length-groups.ts';
import { digestModel, missingFile, readSentenceSettings, type SentenceSettings } from './model-files.ts';
import { normaliseRows, pool } from './pooling.ts';
import { cutToLimit, type SpecialTokens, specialTokensOf, tokenLimit } from './token-window.ts';
import type { BatchItem, BatchResult, EmbeddingInput, ModelInfo, WorkerOptions } from './worker-protocol.ts';

/** Model types whose positions start behind the padding id. */
const OFFSET_MODELS = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet', 'longformer']);

type Tokenizer = Awaited<ReturnType<typeof AutoTokenizer.from_pretrained>>;
type Model = Awaited<ReturnType<typeof AutoModel.from_pretrained>>;

interface Parts {
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  readonly settings: SentenceSettings;
  readonly specials: SpecialTokens;
  readonly maxTokens: number;
  readonly vocabularySize: number;
  readonly digest: string;
}

/** Tokenises texts and runs the ONNX model. Blocks the thread it is on, so it belongs into a worker. */
export class EmbeddingEngine {
  readonly #parts: Parts;
  #info: ModelInfo | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Loads the model from its folder and warms it with one text. */
  static async load(options: WorkerOptions): Promise<EmbeddingEngine> {
    const { folder, dtype, threads } = options;
    const missing = missingFile(folder, dtype);
    if (missing) throw new Error(`${missing} is missing there`);
    // The library prints to stdout, which belongs to the log.
    env.logLevel = LogLevel.NONE;
    env.allowRemoteModels = false;
    const model = await AutoModel.from_pretrained(folder, {
      dtype: dtype as 'fp32',
      device: 'cpu',
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    });
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    const settings = await readSentenceSettings(folder);
    const digest = await digestModel(folder, dtype);
    const engine = new EmbeddingEngine({
      tokenizer,
      model,
      settings,
      digest,
      ...measure(tokenizer, model, settings, options),
    });
    await engine.run([{ input: 'warm', truncate: true }]);
    return engine;
  }

  /** Known once a first text has gone through. */
  get info(): ModelInfo {
    if (!this.#info) throw new Error('the model has not run yet');
    return this.#info;
  }

  /** Embeds a batch. An input above the limit that may not be cut is counted and left out of `vectors`. */
  async run(items: readonly BatchItem[]): Promise<BatchResult> {
    const { maxTokens, specials } = this.#parts;
    const startedAt = performance.now();
    const encoded = items.map(({ input }) => this.#encode(input));
    const accepted = encoded.filter((ids, index) => ids.length <= maxTokens || items[index]?.truncate);
    const rows = accepted.map((ids) => cutToLimit(ids, maxTokens, specials));
    const vectors = await this.#inferAll(rows);
    return {
      vectors,
      tokenCounts: encoded.map((ids) => ids.length),
      dimensions: this.#info?.dimensions ?? 0,
      maxTokens,
      inferenceMs: performance.now() - startedAt,
    };
  }

  #encode(input: EmbeddingInput): readonly number[] {
    return typeof input === 'string' ? this.#parts.tokenizer.encode(input) : input;
  }

  async #inferAll(rows: readonly (readonly number[])[]): Promise<Float32Array<ArrayBuffer>> {
    const groups = groupByLength(rows.map((row) => row.length));
    let vectors = new Float32Array(0);
    for (const group of groups) {
      const some = await this.#infer(group.map((index) => rows[index] as readonly number[]));
      const dimensions = some.length / group.length;
      if (vectors.length === 0) vectors = new Float32Array(rows.length * dimensions);
      group.forEach((index, row) =>
        vectors.set(some.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions),
      );
    }
    return vectors;
  }

  async #infer(rows: readonly (readonly number[])[]): Promise<Float32Array<ArrayBuffer>> {
    const { model, settings, tokenizer, maxTokens, vocabularySize, digest } = this.#parts;
    const { ids, mask, length } = pad(rows, tokenizer.pad_token_id ?? 0);
    const shape = [rows.length, length];
    const outputs = (await model({
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
      attention_mask: new Tensor('int64', BigInt64Array.from(mask, BigInt), shape),
    })) as Record<string, Tensor>;
    try {
      const own = outputs['sentence_embedding'];
      const tokens = own ?? tokenOutput(outputs);
      const dimensions = tokens.dims.at(-1) as number;
      const data = tokens.data as Float32Array;
      const vectors = own
        ? new Float32Array(data)
        : pool({ data, mask, rows: rows.length, length, dimensions }, settings.pooling);
      if (settings.normalise) normaliseRows(vectors, dimensions);
      const pooling = own ? 'model' : settings.pooling;
      this.#info ??= { dimensions, maxTokens, vocabularySize, pooling, digest };
      return vectors;
    } finally {
      for (const tensor of Object.values(outputs)) tensor.dispose();
    }
  }
}

function measure(
  tokenizer: Tokenizer,
  model: Model,
  settings: SentenceSettings,
  { maxTokens }: WorkerOptions,
) {
  const config = model.config as unknown as Record<string, unknown>;
  const offset = OFFSET_MODELS.has(String(config['model_type'])) ? (tokenizer.pad_token_id ?? 0) + 1 : 0;
  const sample = 'a sample';
  return {
    specials: specialTokensOf(
      tokenizer.encode(sample),
      tokenizer.encode(sample, { add_special_tokens: false }),
    ),
    maxTokens: tokenLimit({
      tokenizer: asNumber(tokenizer.model_max_length),
      sentenceTransformers: settings.maxTokens,
      positions: asNumber(config['max_position_embeddings']),
      positionOffset: offset,
      configured: maxTokens,
    }),
    vocabularySize: asNumber(config['vocab_size']) ?? Infinity,
  };
}

function tokenOutput(outputs: Readonly<Record<string, Tensor>>): Tensor {
  const tokens =
    outputs['last_hidden_state'] ??
    outputs['token_embeddings'] ??
    Object.values(outputs).find(({ dims }) => dims.length === 3);
  if (!tokens)
    throw new Error(`the model has none of the known outputs, only: ${Object.keys(outputs).join(', ')}`);
  return tokens;
}

function pad(rows: readonly (readonly number[])[], padId: number) {
  // A text may have no tokens at all; the graph still needs one column.
  const length = Math.max(1, ...rows.map((row) => row.length));
  const ids = new Array<number>(rows.length * length).fill(padId);
  const mask = new Array<number>(rows.length * length).fill(0);
  rows.forEach((row, index) => {
    row.forEach((id, position) => {
      ids[index * length + position] = id;
      mask[index * length + position] = 1;
    });
  });
  return { ids, mask, length };
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
