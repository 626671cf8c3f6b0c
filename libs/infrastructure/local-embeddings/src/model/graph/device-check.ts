import type { Device } from '../embedding-model.types.ts';
import { type GraphRunner, padBatch } from './graph-runner.ts';
import { ModelLoadError } from '../model-load-error.ts';

/** The device runs the graph, and gives other numbers than the CPU. */
export class WrongNumbersError extends ModelLoadError {}

/** What is compared. */
interface DeviceCheck {
  readonly device: Device;
  /** The graph on that device, and on the CPU. */
  readonly runner: GraphRunner;
  readonly onCpu: GraphRunner;
  readonly output: string;
  readonly padId: number;
  /** Of the weights. */
  readonly dtype: string;
  /** The most tokens of a text. */
  readonly longest: number;
}

/**
 * In full precision a device gives the numbers of the CPU to some digits. Weights of 8 bits and fewer are rounded otherwise on another
 * device, and stay above the second; a wrong operator gives about 0, or less than the first where it is wrong about a mask.
 */
const LEAST_COSINE = { exact: 0.999, rounded: 0.95 };
/** Some networks let a token see those within some distance only, most often 64: so many tokens that it matters. */
const MANY_TOKENS = 256;
/** A length that is no more than a few lanes of a GPU hides what goes wrong across them. */
const PADDED_TOKENS = 32;

/**
 * A driver or an operator of a GPU that computes wrongly says nothing: vectors of the right length come out, and are cached. So a
 * short text, with padding beside it, and a long one are run there and on the CPU.
 * @param ids of a text that is known to run
 * @throws WrongNumbersError
 */
export async function checkDevice(
  { device, runner, onCpu, output, padId, dtype, longest }: DeviceCheck,
  ids: readonly number[],
): Promise<void> {
  const many = Math.max(ids.length, Math.min(longest, MANY_TOKENS));
  const long = Array.from({ length: many }, (_, at) => ids[at % ids.length] as number);
  const least = dtype === 'fp32' ? LEAST_COSINE.exact : LEAST_COSINE.rounded;
  for (const text of [ids, long]) {
    const padded = Math.max(text.length, Math.min(longest, PADDED_TOKENS));
    const batch = padBatch([{ ids: text }], padId, 'right', runner.length ?? padded);
    const valuesOf = async (graph: GraphRunner) => ownValues(await graph.run(batch, output), output, text);
    const cosine = cosineOf(await valuesOf(runner), await valuesOf(onCpu));
    if (cosine >= least) continue;
    throw new WrongNumbersError(
      `${device} gives other numbers than the CPU for this graph (cosine ${cosine.toFixed(4)} with ${text.length} tokens); EMBEDDING_DTYPE=fp32 or EMBEDDING_DEVICE=cpu may give the right ones`,
    );
  }
}

/** Without those of the padding, of which nothing is promised. */
function ownValues(
  outputs: Awaited<ReturnType<GraphRunner['run']>>,
  output: string,
  { length: tokens }: readonly number[],
): Float32Array {
  const { data = new Float32Array(), dims = [] } = outputs.get(output) ?? {};
  const [, length = 1, width] = dims;
  return width === undefined ? data : data.subarray(0, (data.length / length) * tokens);
}

/** NaN where one of them is all zeros, or has a value that is no number. */
function cosineOf(one: Float32Array, other: Float32Array): number {
  let [dot, oneSize, otherSize] = [0, 0, 0];
  one.forEach((value, index) => {
    const beside = other[index] ?? NaN;
    dot += value * beside;
    oneSize += value ** 2;
    otherSize += beside ** 2;
  });
  return dot / Math.sqrt(oneSize * otherSize);
}
