import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Tokenizer } from 'tokenizers';

const TOKENIZED_AT_ONCE = 256;

/** The least that turns texts into vectors: the native tokenizer and onnxruntime with all that they do by default, nothing around them. */
export class BareEmbedder {
  readonly #tokenizer: Tokenizer;
  readonly #session: InferenceSession;

  private constructor(tokenizer: Tokenizer, session: InferenceSession) {
    this.#tokenizer = tokenizer;
    this.#session = session;
  }

  static async load(folder: string, threads: number): Promise<BareEmbedder> {
    const tokenizer = Tokenizer.fromString(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    const session = await InferenceSession.create(join(folder, 'onnx/model.onnx'), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    return new BareEmbedder(tokenizer, session);
  }

  /** Token ids of each text. */
  async rowsOf(texts: readonly string[]): Promise<number[][]> {
    const rows: number[][] = [];
    for (let at = 0; at < texts.length; at += TOKENIZED_AT_ONCE) {
      const encodings = await this.#tokenizer.encodeBatch(texts.slice(at, at + TOKENIZED_AT_ONCE));
      for (const encoding of encodings) rows.push(encoding.getIds());
    }
    return rows;
  }

  /** Vectors as the graph gives them, or the means of those of tokens, at length 1. */
  async vectorsOf(rows: readonly number[][]): Promise<Float32Array> {
    const length = Math.max(...rows.map((row) => row.length));
    const ids = new BigInt64Array(rows.length * length);
    const mask = new BigInt64Array(rows.length * length);
    rows.forEach((row, index) => {
      for (let at = 0; at < row.length; at += 1) ids[index * length + at] = BigInt(row[at] ?? 0);
      mask.fill(1n, index * length, index * length + row.length);
    });
    const values: Readonly<Record<string, BigInt64Array>> = { input_ids: ids, attention_mask: mask };
    const feeds = this.#session.inputNames.map((name): [string, Tensor] => [
      name,
      new Tensor('int64', values[name] ?? new BigInt64Array(ids.length), [rows.length, length]),
    ]);
    const results = await this.#session.run(Object.fromEntries(feeds));
    const { data, dims } = results[this.#session.outputNames[0] ?? ''] as Tensor;
    return dims.length === 2 ? (data as Float32Array) : meansOf(data as Float32Array, rows, length);
  }
}

/** The divisor of a mean is lost where vectors are brought to length 1. */
function meansOf(data: Float32Array, rows: readonly number[][], length: number): Float32Array {
  const width = data.length / rows.length / length;
  const vectors = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    const vector = vectors.subarray(index * width, (index + 1) * width);
    for (let token = index * length; token < index * length + row.length; token += 1)
      for (let at = 0; at < width; at += 1)
        vector[at] = (vector[at] as number) + (data[token * width + at] as number);
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    for (let at = 0; at < width; at += 1) vector[at] = (vector[at] as number) / norm;
  });
  return vectors;
}
