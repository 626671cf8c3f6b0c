import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { atMost, type BenchRow } from './bench-row.ts';

const PROGRAM = 'libs/infrastructure/distributed-llm/fixture/hour/hour-bench.ts';
const RUN_SOURCES = './tools/testing/run-sources.ts';
const SEEDS = [1, 2, 3, 4, 5];
const MINUTES = 60;
const MOST_UNUSED_S = 30;
/** Callers wait half a minute for what they sent to a host that was slow or silent; as long as they do it is not asked. */
const MOST_AFTER_DELAY_S = 60;
const UNUSED = 'the longest time for which a host that is well is not asked';

interface Figures {
  readonly seed: number;
  readonly calls: number;
  readonly successRate: number;
  readonly possibleRate: number;
  readonly servedRate: number;
  readonly attemptsPerCall: number;
  readonly longestUnusedMs: number;
  readonly longestAfterDelayMs: number;
}

/** An hour of trouble in simulated time, by the client as it is, against a router that knows the future. The worst seed counts. */
export async function hourBench(): Promise<BenchRow[]> {
  const runs: Figures[] = [];
  for (const seed of SEEDS) runs.push(await runOf(seed));
  console.log(
    'ten hosts that go, break, slow down, fill up and fall silent, all gone for 45 s; 5 calls a second',
  );
  console.table(runs.map(tableRow));
  const longestS = (of: (run: Figures) => number) => Math.max(...runs.map(of)) / 1_000;
  const share = ({ successRate, possibleRate }: Figures) => successRate / possibleRate;
  const worst = runs.reduce((one, other) => (share(other) < share(one) ? other : one));
  const servedRate = Math.min(...runs.map((run) => run.servedRate));
  return [
    atLeast(
      ['callers answered, of those whom a host could serve at once', servedRate],
      ['all of them', 1],
      0.995,
    ),
    atLeast(
      ['callers answered, of all', worst.successRate],
      ['a router that knows the future', worst.possibleRate],
      0.98,
    ),
    atMost(
      UNUSED,
      's',
      longestS((run) => run.longestUnusedMs),
      MOST_UNUSED_S,
    ),
    atMost(
      `${UNUSED} after it was slow or silent`,
      's',
      longestS((run) => run.longestAfterDelayMs),
      MOST_AFTER_DELAY_S,
    ),
  ];
}

type Rate = readonly [name: string, rate: number];

function atLeast([name, rate]: Rate, [against, possible]: Rate, target: number): BenchRow {
  const baseline = { name: against, value: possible * 100 };
  return { name, value: rate * 100, unit: '%', baseline, ratio: rate / possible, target };
}

async function runOf(seed: number): Promise<Figures> {
  const args = ['--no-warnings', '--import', RUN_SOURCES, PROGRAM, String(seed), String(MINUTES)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Figures;
}

function tableRow({ seed, calls, successRate, possibleRate, servedRate, ...rest }: Figures) {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  return {
    seed,
    calls,
    answered: percent(successRate),
    'best possible': percent(possibleRate),
    difference: percent(possibleRate - successRate),
    'answered, of those a host could serve at once': percent(servedRate),
    'attempts a call': rest.attemptsPerCall.toFixed(2),
    'longest unused, s': (rest.longestUnusedMs / 1_000).toFixed(1),
    'after a delay, s': (rest.longestAfterDelayMs / 1_000).toFixed(1),
  };
}
