import { AutoModel, AutoTokenizer, env, LogLevel, Tensor } from '@huggingface/transformers';
import { digestModel, missingFile, readSentenceSettings, type SentenceSettings } from './model-files.ts';
import { normaliseRows, pool } from './pooling.ts';
import type { WindowEncoder } from './text-window.ts';
import { cutToLimit, type SpecialTokens, specialTokensOf, tokenLimit } from './token-window.ts';
import type { ModelInfo, ProcessOptions } from './process-protocol.ts';

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
  static async load(options: ProcessOptions): Promise<EmbeddingEngine> {
    const { folder, dtype, threads } = options;
    const missing = missingFile(folder, dtype);
    if (missing) throw new Error(`${missing} is missing there`);
    // The library prints to stdout, which belongs to the log.
    env.logLevel = LogLevel.NONE;
    env.allowRemoteModels = false;
    const model = await AutoModel.from_pretrained(folder, {
      dtype: dtype as 'fp32',
      device: 'cpu',
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1, enableCpuMemArena: false },
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
    await engine.run([[0]]);
    return engine;
  }

  /** Known once a first text has gone through. */
  get info(): ModelInfo {
    if (!this.#info) throw new Error('the model has not run yet');
    return this.#info;
  }

  get shape() {
    const config = this.#parts.model.config as unknown as Record<string, unknown>;
    return { heads: asNumber(config['num_attention_heads']), hidden: asNumber(config['hidden_size']) };
  }

  async run(rows: readonly (readonly number[])[]) {
    return { vectors: await this.#infer(rows), faults: [] as { row: number; reason: string }[] };
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
  { maxTokens }: ProcessOptions,
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

export async function openTokenizer(folder: string): Promise<WindowEncoder> {
  env.logLevel = LogLevel.NONE;
  env.allowRemoteModels = false;
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const sample = 'a sample';
  const specials = specialTokensOf(
    tokenizer.encode(sample),
    tokenizer.encode(sample, { add_special_tokens: false }),
  );
  return {
    cutSide: 'right',
    encode: (text) => Promise.resolve(tokenizer.encode(text)),
    cut: (ids, limit) => cutToLimit(ids, limit, specials),
  };
}
