import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** What the space of young objects, both halves of it, needs no more than (docs/performance.md). */
const ENOUGH_BYTES = 16 * 1024 * 1024;

/**
 * From now on the space of young objects grows at once to {@link ENOUGH_BYTES} when it must grow, and no further. V8 doubles it
 * each time, which makes collections many before they are few, and goes on to 128 MiB where much of what is young survives, as
 * with a thousand streams, and keeps them. A collection of everything makes the space small, from where it grows again. V8 itself
 * takes such a limit on the command line only: `--max-semi-space-size` makes this one smaller, never larger.
 */
export function limitYoungSpace(): void {
  let factor: number | undefined;
  const limit = () => {
    const next = Math.max(1, Math.floor(ENOUGH_BYTES / youngBytes()));
    if (next !== factor) setFlagsFromString(`--semi-space-growth-factor=${next}`);
    factor = next;
  };
  limit();
  new PerformanceObserver(limit).observe({ entryTypes: ['gc'] });
}

function youngBytes(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size || ENOUGH_BYTES
  );
}
