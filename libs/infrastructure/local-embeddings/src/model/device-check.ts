import type { Device } from './embedding-model.types.ts';
import { type GraphRunner, padBatch } from './graph-runner.ts';
import { ModelLoadError } from './model-load-error.ts';

/** The device runs the graph, and gives other numbers than the CPU. */
export class WrongNumbersError extends ModelLoadError {}

/** What is compared. */
export interface DeviceCheck {
  readonly device: Device;
  /** The graph on that device, and on the CPU. */
  readonly runner: GraphRunner;
  readonly onCpu: GraphRunner;
  readonly output: string;
  readonly padId: number;
}

/** Weights of 8 bits and fewer are rounded otherwise on another device, and stay above it; a wrong operator gives about 0. */
const LEAST_COSINE = 0.95;

/**
 * A driver or an operator of a GPU that computes wrongly says nothing: vectors of the right length come out, and are cached. So one
 * text is run there and on the CPU.
 * @param ids of a text that is known to run
 * @throws WrongNumbersError
 */
export async function checkDevice(
  { device, runner, onCpu, output, padId }: DeviceCheck,
  ids: readonly number[],
): Promise<void> {
  const valuesOf = async (graph: GraphRunner) => {
    const batch = padBatch([{ ids }], padId, 'right', graph.length);
    return (await graph.run(batch, output)).get(output)?.data ?? new Float32Array();
  };
  const cosine = cosineOf(await valuesOf(runner), await valuesOf(onCpu));
  if (cosine >= LEAST_COSINE) return;
  throw new WrongNumbersError(
    `${device} gives other numbers than the CPU for this graph (cosine ${cosine.toFixed(2)}); EMBEDDING_DTYPE=fp32 or EMBEDDING_DEVICE=cpu may give the right ones`,
  );
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
