import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Values of vectors that are written at a time: about 5 ms of work, after which everybody else has a turn. 2,048 vectors of
 * 512 values at once would hold the event loop for a quarter of a second.
 */
const SLICE_VALUES = 16_384;

/** Vectors that are written at a time. */
export function perSlice(dimensions: number): number {
  return Math.max(1, Math.floor(SLICE_VALUES / dimensions));
}

/** The elements of a JSON list without its brackets, slice by slice. */
export function* listSlices(
  count: number,
  dimensions: number,
  write: (index: number) => string,
): Generator<string, void> {
  const size = perSlice(dimensions);
  for (let start = 0; start < count; start += size) {
    const length = Math.min(size, count - start);
    const elements = Array.from({ length }, (_, offset) => write(start + offset));
    yield `${start > 0 ? ',' : ''}${elements.join(',')}`;
  }
}

/** A text: whole where it is short, else slice by slice, with a turn for everybody else between two of them. */
export function slicedBody(slices: Iterable<string>, isShort: boolean): string | Readable {
  return isShort ? [...slices].join('') : Readable.from(inTurns(slices));
}

/** The same for bytes. */
export function slicedBytes(slices: Iterable<Buffer>, isShort: boolean): Buffer | Readable {
  return isShort ? Buffer.concat([...slices]) : Readable.from(inTurns(slices), { objectMode: false });
}

async function* inTurns<Slice>(slices: Iterable<Slice>): AsyncGenerator<Slice, void> {
  for (const slice of slices) {
    yield slice;
    await nextTurn();
  }
}
