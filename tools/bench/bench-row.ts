/** One measured claim: a figure, what it is held against in the same run, and the ratio that must be reached. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: { readonly name: string; readonly value: number };
  readonly ratio: number;
  readonly target: number;
}

/** Two ways to do the same work. Each call measures one short round and gives its rate. */
export interface Contest {
  readonly name: string;
  readonly unit: string;
  readonly target: number;
  readonly subject: () => Promise<number>;
  readonly baseline: { readonly name: string; readonly measure: () => Promise<number> };
  readonly rounds: number;
}

/**
 * Measures both by turns, so that a machine that slows down slows both, and compares the medians. The first round of
 * each warms up and does not count.
 */
export async function measure({ name, unit, target, subject, baseline, rounds }: Contest): Promise<BenchRow> {
  const figures: [number, number][] = [];
  for (let round = 0; round <= rounds; round += 1) figures.push([await subject(), await baseline.measure()]);
  const counted = figures.slice(1);
  const value = median(counted.map(([own]) => own));
  const other = median(counted.map(([, theirs]) => theirs));
  const ratio = median(counted.map(([own, theirs]) => own / theirs));
  return { name, unit, value, baseline: { name: baseline.name, value: other }, ratio, target };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}
