import type { Compute } from '@morgan/cache';
import type { CallContext } from '@morgan/foundation';
import type { EmbeddedInput, EmbeddingInput, EmbeddingModel, EmbedOptions } from './embedding-model.ts';

/** The inputs of a call with the keys of their vectors, and how they are treated. */
interface KeyedInputs extends Pick<EmbedOptions, 'truncate' | 'prompt'> {
  readonly inputs: readonly EmbeddingInput[];
  readonly keys: readonly string[];
}

/**
 * Computes the vectors of some of the keys. Of a call that fails it has what has come until then, and keeps what comes later of the
 * batches that run: that is stored all the same, and whoever asks again goes on from there.
 */
export function missingVectors(
  model: EmbeddingModel,
  { inputs, keys, truncate, prompt }: KeyedInputs,
  context: CallContext,
): Compute {
  return async (missing, signal, keepLate) => {
    const positions = positionsOf(missing, keys);
    const wanted = positions.map((position) => inputs[position] as EmbeddingInput);
    const done = new Array<EmbeddedInput | undefined>(wanted.length).fill(undefined);
    let isOver = false;
    const onItem = (index: number, item: EmbeddedInput) => {
      if (isOver) keepLate(missing[index] as string, item);
      else done[index] = item;
    };
    try {
      return await model.embed(wanted, { ...context, signal }, { truncate, positions, prompt, onItem });
    } catch (error) {
      isOver = true;
      if (!(error instanceof Error) || !done.some(Boolean)) throw error;
      return done.map((item) => item ?? error);
    }
  };
}

/** Where each of some keys comes first. */
function positionsOf(some: readonly string[], keys: readonly string[]): number[] {
  // Mostly it is all of them.
  if (some.every((key, index) => key === keys[index])) return [...some.keys()];
  const positionOf = new Map(keys.map((key, index) => [key, index] as const).toReversed());
  return some.map((key) => positionOf.get(key) as number);
}
