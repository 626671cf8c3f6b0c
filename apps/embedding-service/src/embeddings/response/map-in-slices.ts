import { inTurn } from '@morgan/foundation';

/** How long the event loop is held at a time. */
const SLICE_MS = 5;

/** A list that is no longer than this, as most are, waits for no other. */
const SHORT_LIST = 64;

/** Maps a list, at once where neither that nor what else is done so takes longer than a slice; else other work of this process comes in between. */
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
  const isWhole = list.length <= SHORT_LIST ? mapSlice() : inTurn(mapSlice);
  return isWhole === true ? results : mapRest(isWhole, mapSlice).then(() => results);
}

async function mapRest(first: boolean | Promise<boolean>, mapSlice: () => boolean): Promise<void> {
  let isWhole = await first;
  while (!isWhole) isWhole = await inTurn(mapSlice);
}
