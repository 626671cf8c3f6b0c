/** One figure, what it is held against in the same run, and the ratio that must be reached. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: { readonly name: string; readonly value: number };
  readonly ratio: number;
  /** Left out where the figure is for information only. */
  readonly target?: number;
}

/** What a figure is, and how it is judged. */
export interface Claim {
  readonly name: string;
  readonly unit: string;
  /** The least ratio: of `more`, own over theirs; of `less`, theirs over own. */
  readonly target?: number;
  readonly better: 'more' | 'less';
  readonly baseline: string;
}

/** Two ways to do the same work. Each call measures one short round and gives its rate. */
interface Contest {
  readonly name: string;
  readonly unit: string;
  readonly target: number;
  readonly subject: () => Promise<number>;
  readonly baseline: { readonly name: string; readonly measure: () => Promise<number> };
  readonly rounds: number;
}

/** Measures both by turns and compares the medians of the rounds. */
export async function measure({ subject, baseline, rounds, ...claim }: Contest): Promise<BenchRow> {
  const figures = await byTurns(rounds, { own: subject, theirs: baseline.measure });
  const pairs = figures.map(({ own, theirs }) => [own, theirs] as const);
  return compare({ ...claim, better: 'more', baseline: baseline.name }, pairs);
}

/**
 * Measures each by turns, so that a machine that slows down slows all of them. The first round of each warms up and does
 * not count.
 */
export async function byTurns<Name extends string, Figures>(
  rounds: number,
  measures: Readonly<Record<Name, () => Promise<Figures>>>,
): Promise<Record<Name, Figures>[]> {
  const counted: Record<Name, Figures>[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const figures: [string, Figures][] = [];
    for (const [name, work] of Object.entries<() => Promise<Figures>>(measures)) {
      try {
        figures.push([name, await work()]);
      } catch (cause) {
        throw new Error(`round ${round} of '${name}': ${(cause as Error).message}`, { cause });
      }
    }
    if (round > 0) counted.push(Object.fromEntries(figures) as Record<Name, Figures>);
  }
  return counted;
}

/** A claim with its medians; the ratio is the median of the rounds' own ratios. */
export function compare(
  { better, baseline, ...claim }: Claim,
  rounds: readonly (readonly [own: number, theirs: number])[],
): BenchRow {
  const ratioOf = ([own, theirs]: readonly [number, number]) =>
    better === 'more' ? own / theirs : theirs / own;
  return {
    ...claim,
    value: median(rounds.map(([own]) => own)),
    baseline: { name: baseline, value: median(rounds.map(([, theirs]) => theirs)) },
    ratio: median(rounds.map(ratioOf)),
  };
}

/** A figure that has a ceiling. */
export function atMost(name: string, unit: string, value: number, most: number): BenchRow {
  return {
    name,
    value,
    unit,
    baseline: { name: 'the most it may be', value: most },
    ratio: most / value,
    target: 1,
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two neighbours in proportion; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (sorted.length - 1) * share;
  const [below = NaN, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}
