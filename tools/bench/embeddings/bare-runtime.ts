import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Tokenizer } from 'tokenizers';
import { median } from '../bench-row.ts';
import { benchTexts, type TextKind } from './bench-texts.ts';

/** What the bare runtime is to do. */
export interface BareTask {
  readonly folder: string;
  readonly kind: TextKind;
  readonly texts: number;
  readonly seed: number;
  /** Texts of one run of the graph. */
  readonly batch: number;
  readonly threads: number;
  /** One text after the other, from the text to its vector, in place of all at once. */
  readonly alone: boolean;
}

/** What came of it. */
export interface BareFigures {
  readonly textsPerCpuSecond: number;
  /** How long a call took; there is one for all texts, or one for each. */
  readonly medianMs: number;
}

const TOKENIZED_AT_ONCE = 256;
const WARM_UP = { texts: 64, seed: 1_000_003 };

/**
 * The least that turns texts into vectors: the native tokenizer and onnxruntime with all that they do by default, nothing
 * around them, and texts sorted by length, so that hardly anything is padded. A program: takes its task as JSON, prints figures.
 */
async function run({ folder, kind, texts: count, seed, alone, ...task }: BareTask): Promise<BareFigures> {
  const tokenizer = Tokenizer.fromString(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
  const session = await InferenceSession.create(join(folder, 'onnx/model.onnx'), {
    intraOpNumThreads: task.threads,
    interOpNumThreads: 1,
  });
  const embed = async (texts: readonly string[]) => {
    const rows = (await rowsOf(tokenizer, texts)).sort((one, other) => one.length - other.length);
    for (let at = 0; at < rows.length; at += task.batch)
      await vectorsOf(session, rows.slice(at, at + task.batch));
  };
  await embed(benchTexts(kind, WARM_UP.texts, WARM_UP.seed));
  const texts = benchTexts(kind, count, seed);
  const calls = alone ? texts.map((text) => [text]) : [texts];
  const times: number[] = [];
  const before = process.cpuUsage();
  for (const call of calls) {
    const begunAt = performance.now();
    await embed(call);
    times.push(performance.now() - begunAt);
  }
  const { user, system } = process.cpuUsage(before);
  return { textsPerCpuSecond: (count * 1_000_000) / (user + system), medianMs: median(times) };
}

async function rowsOf(tokenizer: Tokenizer, texts: readonly string[]): Promise<number[][]> {
  const rows: number[][] = [];
  for (let at = 0; at < texts.length; at += TOKENIZED_AT_ONCE) {
    const encodings = await tokenizer.encodeBatch(texts.slice(at, at + TOKENIZED_AT_ONCE));
    for (const encoding of encodings) rows.push(encoding.getIds());
  }
  return rows;
}

/** Vectors as the graph gives them, or the means of those of tokens, at length 1. */
async function vectorsOf(session: InferenceSession, rows: readonly number[][]): Promise<Float32Array> {
  const length = Math.max(...rows.map((row) => row.length));
  const ids = new BigInt64Array(rows.length * length);
  const mask = new BigInt64Array(rows.length * length);
  rows.forEach((row, index) => {
    for (let at = 0; at < row.length; at += 1) ids[index * length + at] = BigInt(row[at] ?? 0);
    mask.fill(1n, index * length, index * length + row.length);
  });
  const values: Readonly<Record<string, BigInt64Array>> = { input_ids: ids, attention_mask: mask };
  const feeds = session.inputNames.map((name): [string, Tensor] => [
    name,
    new Tensor('int64', values[name] ?? new BigInt64Array(ids.length), [rows.length, length]),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  const { data, dims } = results[session.outputNames[0] ?? ''] as Tensor;
  return dims.length === 2 ? (data as Float32Array) : meansOf(data as Float32Array, rows, length);
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

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as BareTask)));
