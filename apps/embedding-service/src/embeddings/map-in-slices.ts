import { setImmediate } from 'node:timers/promises';

/** How long the event loop is held at a time. */
const SLICE_MS = 5;

/** Maps a list, at once where that takes no longer than a slice; else other work of this process comes in between. */
export function mapInSlices<Element, Result>(
  list: readonly Element[],
  map: (element: Element) => Result,
): Result[] | Promise<Result[]> {
  const results: Result[] = [];
  const mapSlice = () => {
    const begun = performance.now();
    while (results.length < list.length) {
      results.push(map(list[results.length] as Element));
      if (performance.now() - begun >= SLICE_MS) break;
    }
    return results.length === list.length;
  };
  return mapSlice() ? results : mapRest(mapSlice).then(() => results);
}

async function mapRest(mapSlice: () => boolean): Promise<void> {
  do await setImmediate();
  while (!mapSlice());
}
