import { setImmediate } from 'node:timers/promises';

/** How long the event loop is held at a time. */
const SLICE_MS = 5;

/** Maps a list; where that takes long, other work of this process comes in between. */
export async function mapInSlices<Element, Result>(
  list: readonly Element[],
  map: (element: Element) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let begun = performance.now();
  for (const element of list) {
    results.push(map(element));
    if (performance.now() - begun < SLICE_MS) continue;
    await setImmediate();
    begun = performance.now();
  }
  return results;
}
