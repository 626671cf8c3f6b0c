import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** What the space of young objects, both halves of it, needs no more than (docs/performance.md). */
const ENOUGH_BYTES = 16 * 1024 * 1024;
const GROWING = 2;
const NOT_GROWING = 1;

/**
 * From now on the space of young objects is doubled up to {@link ENOUGH_BYTES} only. V8 goes on to 128 MiB where much of what is
 * young survives, as with a thousand streams, and keeps them. A collection of everything makes the space small, from where it
 * grows again. V8 itself takes such a limit on the command line only: `--max-semi-space-size` makes this one smaller, never larger.
 */
export function limitYoungSpace(): void {
  let factor = GROWING;
  const observer = new PerformanceObserver(() => {
    const next = youngBytes() < ENOUGH_BYTES ? GROWING : NOT_GROWING;
    if (next !== factor) setFlagsFromString(`--semi-space-growth-factor=${next}`);
    factor = next;
  });
  observer.observe({ entryTypes: ['gc'] });
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
