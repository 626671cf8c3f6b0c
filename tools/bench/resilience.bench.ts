import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { atMost, type BenchRow } from './bench-row.ts';

const PROGRAM = 'libs/infrastructure/http-client/fixture/policy-bench.ts';
const RUN_SOURCES = './tools/testing/run-sources.ts';
const POLICIES = ['deadline', 'budget', 'retry', 'limiter', 'bulkhead', 'breaker', 'adaptive timeout'];
/** Microseconds. */
const MOST_EACH = 4;
const MOST_TOGETHER = 12;
/** A call through a client with all of its policies takes at most so many times what one of undici takes without any. */
const WHOLE_CLIENT = 1.25;

type Figures = Readonly<Record<string, number>>;

/** What the policies cost per call: each around nothing, all together, against cockatiel, and around a real request. */
export async function resilienceBench(): Promise<BenchRow[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', RUN_SOURCES, PROGRAM]);
  const figures = JSON.parse(stdout) as Figures;
  const at = (name: string): number => figures[name] ?? NaN;
  const added = (name: string): number => at(name) - at('bare');
  return [
    ...POLICIES.map((name) => atMost(`${name}, alone`, 'us', added(name), MOST_EACH)),
    atMost(
      'deadline + budget + retry + limit + bulkhead + breaker, counted',
      'us',
      added('composition'),
      MOST_TOGETHER,
    ),
    atMost('the same with adaptive timeout', 'us', added('composition with adaptive timeout'), MOST_TOGETHER),
    {
      name: 'the composition, against the same without limit, budget and metrics',
      value: added('composition'),
      unit: 'us',
      baseline: { name: 'cockatiel: timeout, retry, bulkhead, breaker', value: added('cockatiel') },
      ratio: added('cockatiel') / added('composition'),
      target: 1,
    },
    {
      name: 'processor time of a call through a whole client',
      value: at('http client'),
      unit: 'us',
      baseline: { name: 'through undici, without policies', value: at('undici') },
      ratio: at('undici') / at('http client'),
      target: 1 / WHOLE_CLIENT,
    },
    {
      name: 'processor time of a call through a whole client',
      value: at('http client'),
      unit: 'us',
      baseline: { name: 'through its bare transport', value: at('bare transport') },
      ratio: at('bare transport') / at('http client'),
    },
  ];
}
