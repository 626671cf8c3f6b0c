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
    let slice = '';
    const end = Math.min(start + size, count);
    for (let index = start; index < end; index += 1) slice += `${index > 0 ? ',' : ''}${write(index)}`;
    yield slice;
  }
}

/** A text: whole where it is short, else slice by slice, with a turn for everybody else between two of them. */
export function slicedBody(slices: Iterable<string>, isShort: boolean): string | Readable {
  if (!isShort) return Readable.from(inTurns(slices));
  let text = '';
  for (const slice of slices) text += slice;
  return text;
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
