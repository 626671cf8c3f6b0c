/** What a heap may grow by between the first and the last third of a run: that is the noise of caches that fill. */
const NOISE_SHARE = 0.05;
const NOISE_BYTES = 2 * 1024 * 1024;

/** @returns why the sizes of a heap, measured one after the other, are not steady; nothing where they are. */
export function growthOf(sizes: readonly number[]): string | undefined {
  const third = Math.max(1, Math.floor(sizes.length / 3));
  const [before, after] = [median(sizes.slice(0, third)), median(sizes.slice(-third))];
  const noise = Math.max(NOISE_BYTES, before * NOISE_SHARE);
  return after - before > noise ? `the heap grew from ${inMb(before)} to ${inMb(after)}` : undefined;
}

/** Megabytes, for people. */
export function inMb(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
