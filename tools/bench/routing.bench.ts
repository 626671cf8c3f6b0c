import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { atMost, type BenchRow } from './bench-row.ts';

const PROGRAM = 'libs/infrastructure/distributed-llm/fixture/fleet/routing-bench.ts';
const RUN_SOURCES = './tools/testing/run-sources.ts';
/** Percent: the slow host and the failing one weigh about a tenth of the fleet each. */
const FAIR_SHARE = 10;
const MOST_CHOICE_NS = 2_000;

interface Figures {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly cacheHits: number;
  readonly failedAttempts: number;
  readonly failedCalls: number;
  readonly slowShare: number;
  readonly failingShare: number;
}

interface Report {
  readonly strategy: string;
  readonly troubled: Figures;
  readonly even: Figures;
  readonly uncached: Figures;
  readonly choiceNs: { readonly of10: number; readonly of100: number };
}

/** First-token times, cache hits and wasted attempts of each strategy in simulated fleets, medians over the seeds. */
export async function routingBench(): Promise<BenchRow[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', RUN_SOURCES, PROGRAM]);
  const reports = JSON.parse(stdout) as Report[];
  console.log(
    'ten hosts: one joins, one leaves, one is 20 times slower, one fails at once; 8 calls a second',
  );
  console.table(reports.map((report) => tableRow(report, report.troubled)));
  console.log('three good hosts; 3 calls a second');
  console.table(reports.map((report) => tableRow(report, report.even)));
  console.log('three good hosts without prefix caches; 1.3 calls a second');
  console.table(reports.map((report) => tableRow(report, report.uncached)));
  return rowsOf(reports);
}

function rowsOf(reports: readonly Report[]): BenchRow[] {
  const of = (strategy: string): Report => {
    const report = reports.find((one) => one.strategy === strategy);
    if (!report) throw new Error(`no figures of ${strategy}`);
    return report;
  };
  const [robin, two, affinity] = [of('round_robin'), of('power_of_two'), of('session_affinity')];
  const sooner = (
    own: Report,
    fleet: 'troubled' | 'even' | 'uncached',
    quantile: 'p50' | 'p95',
    target: number,
  ): BenchRow => ({
    name: `${own.strategy}, first token, ${quantile}, ${fleet} fleet`,
    value: own[fleet][quantile],
    unit: 'ms',
    baseline: { name: 'round_robin', value: robin[fleet][quantile] },
    ratio: robin[fleet][quantile] / own[fleet][quantile],
    target,
  });
  return [
    sooner(two, 'troubled', 'p95', 10),
    sooner(two, 'even', 'p95', 0.85),
    sooner(affinity, 'troubled', 'p95', 40),
    sooner(affinity, 'troubled', 'p50', 3),
    sooner(affinity, 'even', 'p95', 2),
    sooner(affinity, 'uncached', 'p95', 0.7),
    {
      name: 'session_affinity, prompt tokens found in a cache, troubled fleet',
      value: affinity.troubled.cacheHits * 100,
      unit: '%',
      baseline: { name: 'round_robin', value: robin.troubled.cacheHits * 100 },
      ratio: affinity.troubled.cacheHits / robin.troubled.cacheHits,
      target: 1.5,
    },
    ...[two, affinity].flatMap(({ strategy, troubled, choiceNs }) => [
      atMost(
        `${strategy}, the failing host's share of attempts`,
        '%',
        troubled.failingShare * 100,
        FAIR_SHARE / 2,
      ),
      atMost(`${strategy}, the slow host's share of attempts`, '%', troubled.slowShare * 100, FAIR_SHARE / 4),
      atMost(`${strategy}, a choice among 10 hosts`, 'ns', choiceNs.of10, MOST_CHOICE_NS),
    ]),
  ];
}

function tableRow({ strategy, choiceNs }: Report, figures: Figures) {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return {
    strategy,
    'p50 ms': Math.round(figures.p50),
    'p95 ms': Math.round(figures.p95),
    'p99 ms': Math.round(figures.p99),
    'cache hits': percent(figures.cacheHits),
    'failed attempts': percent(figures.failedAttempts),
    'given up': percent(figures.failedCalls),
    'slow host': percent(figures.slowShare),
    'ns, 10 hosts': Math.round(choiceNs.of10),
    'ns, 100 hosts': Math.round(choiceNs.of100),
  };
}
