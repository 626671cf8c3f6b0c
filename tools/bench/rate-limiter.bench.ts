import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { atMost, type BenchRow } from './bench-row.ts';

const PROGRAM = 'libs/infrastructure/rate-limiter/fixture/admission-bench.ts';
const RUN_SOURCES = './tools/testing/run-sources.ts';
const LIMIT = 10_000;
const MOST_US = 2;

interface Figures {
  readonly uncontendedUs: number;
  readonly admittedPerSecond: number;
}

interface Report extends Readonly<Record<'token-bucket' | 'sliding-window', Figures>> {
  readonly bottleneck: Pick<Figures, 'admittedPerSecond'>;
}

/** What the limiter lets through on the real clock, and what it costs where nobody waits. */
export async function rateLimiterBench(): Promise<BenchRow[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', RUN_SOURCES, PROGRAM]);
  const { bottleneck, ...own } = JSON.parse(stdout) as Report;
  return Object.entries(own).flatMap(([algorithm, { uncontendedUs, admittedPerSecond }]) => [
    {
      name: `${algorithm}, admitted of a limit of ${LIMIT}/s under load`,
      value: admittedPerSecond,
      unit: 'asks/s',
      baseline: { name: 'the limit', value: LIMIT },
      ratio: admittedPerSecond / LIMIT,
      target: 0.99,
    },
    {
      name: `${algorithm}, the limit over what it admits: never less than 1`,
      value: LIMIT,
      unit: 'asks/s',
      baseline: { name: 'admitted', value: admittedPerSecond },
      ratio: LIMIT / admittedPerSecond,
      target: 1,
    },
    {
      name: `${algorithm}, the same against bottleneck with the same limit`,
      value: admittedPerSecond,
      unit: 'asks/s',
      baseline: { name: 'bottleneck', value: bottleneck.admittedPerSecond },
      ratio: admittedPerSecond / bottleneck.admittedPerSecond,
      target: 5,
    },
    atMost(`${algorithm}, an acquire that need not wait`, 'us', uncontendedUs, MOST_US),
  ]);
}
