import { Readable } from 'node:stream';
import { inTurn } from '@morgan/foundation';

/**
 * Values of vectors that are written at a time: about 5 ms of work, after which everybody else has a turn. 2,048 vectors of
 * 512 values at once would hold the event loop for a quarter of a second.
 */
const SLICE_VALUES = 16_384;

/** Shorter slices leave together, in characters: each that leaves costs as much as a thousand of them. */
const SHORTEST_SLICE = 16_384;

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
  for (let start = 0; start < count; start += size)
    yield elements(start, Math.min(start + size, count), write);
}

/** A JSON list of vectors, and what stands around it. */
interface VectorList {
  /** Up to the bracket of the list. */
  readonly begin: string;
  readonly count: number;
  readonly dimensions: number;
  readonly write: (index: number) => string;
  readonly end: string;
}

/** The text of a list of vectors, as {@link slicedBody} has it. */
export function vectorListBody(list: VectorList): string | Readable {
  const { begin, count, dimensions, write, end } = list;
  if (count > perSlice(dimensions)) return Readable.from(inTurns(joined(slicesOf(list))));
  return begin + elements(0, count, write) + end;
}

function* slicesOf({ begin, count, dimensions, write, end }: VectorList): Generator<string, void> {
  yield begin;
  yield* listSlices(count, dimensions, write);
  yield end;
}

function elements(start: number, end: number, write: (index: number) => string): string {
  let text = '';
  for (let index = start; index < end; index += 1) text += `${index > 0 ? ',' : ''}${write(index)}`;
  return text;
}

/** The JSON of a list, or of an object and the lists in it: an element is a slice. */
export function* jsonSlices(
  value: Readonly<Record<string, unknown>> | readonly unknown[],
): Generator<string, void> {
  if (isList(value)) return yield* elementSlices(value);
  yield '{';
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  for (const [place, [name, field]] of fields.entries()) {
    yield `${place > 0 ? ',' : ''}${JSON.stringify(name)}:`;
    if (isList(field)) yield* elementSlices(field);
    else yield JSON.stringify(field);
  }
  yield '}';
}

function* elementSlices(list: readonly unknown[]): Generator<string, void> {
  yield '[';
  for (const [place, element] of list.entries()) yield `${place > 0 ? ',' : ''}${JSON.stringify(element)}`;
  yield ']';
}

/** `Array.isArray` alone makes a list of `any` of what nobody knows. */
function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** A text: whole where it is short, else slice by slice, as all such texts together have time in a turn of the event loop. */
export function slicedBody(slices: Iterable<string>, isShort: boolean): string | Readable {
  if (!isShort) return Readable.from(inTurns(joined(slices)));
  let text = '';
  for (const slice of slices) text += slice;
  return text;
}

/** {@link slicedBody} for bytes. */
export function slicedBytes(slices: Iterable<Buffer>, isShort: boolean): Buffer | Readable {
  return isShort ? Buffer.concat([...slices]) : Readable.from(inTurns(slices), { objectMode: false });
}

function* joined(slices: Iterable<string>): Generator<string, void> {
  let text = '';
  for (const slice of slices) {
    text += slice;
    if (text.length < SHORTEST_SLICE) continue;
    yield text;
    text = '';
  }
  yield text;
}

async function* inTurns<Slice>(slices: Iterable<Slice>): AsyncGenerator<Slice, void> {
  const left = slices[Symbol.iterator]();
  for (;;) {
    const next = await inTurn(() => left.next());
    if (next.done === true) return;
    yield next.value;
  }
}
