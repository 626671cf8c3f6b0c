import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { docRegion } from '@morgan/testing';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerSettings } from './circuit-breaker.config.ts';
import { readTrace, type RecordedCall, type RecordedTrace } from '../fixture/recorded-trace.ts';
import { TRACE_PLANS } from '../fixture/trace-plan.ts';

const context = { id: 'call', signal: new AbortController().signal };
const recording = (name: string) => readTrace(new URL(`../fixture/traces/${name}.txt`, import.meta.url));
const NAMES = Object.keys(TRACE_PLANS);

/** Without the widths that the formatter gives to columns. */
const unpadded = (table: string) => table.replaceAll(/[ -]+/g, ' ').trim();

interface Run {
  /** Failed calls that reached the host. */
  readonly failures: number;
  /** Trips of a closed breaker while the host was not in trouble. */
  readonly falseTrips: number;
  /** Calls that were refused though they had succeeded. */
  readonly goodRefused: number;
}

/** All calls of a recording, at their time and overlapping as they did, through a breaker. */
async function replay({ header, calls }: RecordedTrace, config: CircuitBreakerSettings): Promise<Run> {
  jest.useFakeTimers();
  const breaker = new CircuitBreaker({
    name: 'host',
    resetTimeoutMs: 10_000,
    resetJitter: 0,
    ...config,
  });
  const [fromS, toS] = header.trouble ?? [Infinity, Infinity];
  let falseTrips = 0;
  let goodRefused = 0;
  breaker.onChange(({ from, to }) => {
    const atS = performance.now() / 1000;
    if (from === 'CLOSED' && to === 'OPEN' && (atS < fromS || atS >= toS)) falseTrips += 1;
  });
  const begin = (call: RecordedCall, answered: Promise<void>) =>
    breaker
      .execute(async () => {
        await answered;
        if (call.failed) throw new Error('reset');
      }, context)
      .catch((error: { code?: string }) => {
        if (error.code === 'circuit_open' && !call.failed) goodRefused += 1;
      });
  const moments = calls.flatMap((call) => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    let ended = Promise.resolve();
    const arrive = () => void (ended = begin(call, answered));
    const end = () => {
      answer();
      return ended;
    };
    return [
      { atMs: call.arrivalMs, happen: arrive },
      { atMs: call.arrivalMs + call.tookMs, happen: end },
    ];
  });
  for (const { atMs, happen } of moments.toSorted((left, right) => left.atMs - right.atMs)) {
    jest.advanceTimersByTime(atMs - performance.now());
    await happen();
  }
  return { failures: breaker.getStatus().totals.failure, falseTrips, goodRefused };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('each recording', () => {
  it.each(NAMES)('%s is whole', (name) => {
    const { header, calls } = recording(name);
    const plan = TRACE_PLANS[name];
    expect(header).toMatchObject({ name: plan?.name, calls: calls.length });
    expect(header.trouble).toEqual(plan?.trouble);
    expect(calls.length).toBeGreaterThan(2_500);
    const arrivals = calls.map(({ arrivalMs }) => arrivalMs);
    expect(arrivals).toEqual(arrivals.toSorted((left, right) => left - right));
    expect(arrivals.at(-1)).toBeGreaterThan(140_000);
    expect(Math.max(...calls.map(({ tookMs }) => tookMs))).toBeLessThan(header.timeoutMs + 500);
  });

  /** What became of the calls that came in a span. */
  const between = (name: string, fromS: number, toS: number) => {
    const came = recording(name).calls.filter(
      ({ arrivalMs }) => arrivalMs >= fromS * 1000 && arrivalMs < toS * 1000,
    );
    const took = came.map(({ tookMs }) => tookMs).toSorted((left, right) => left - right);
    const failures = came.filter(({ failed }) => failed).length;
    return {
      failures,
      failedShare: failures / came.length,
      leastMs: took[0] ?? NaN,
      medianMs: took[Math.floor(took.length / 2)] ?? NaN,
    };
  };

  it.each(NAMES)('%s begins and ends with a healthy host', (name) => {
    expect(between(name, 0, 40).failedShare).toBeLessThan(0.015);
    expect(between(name, 120, 150).failedShare).toBeLessThan(0.015);
  });

  it('quiet: now and then a failure, and nothing else', () => {
    expect(between('quiet', 0, 150).failures).toBeGreaterThan(5);
    expect(between('quiet', 75, 150).medianMs / between('quiet', 0, 75).medianMs).toBeCloseTo(1, 0);
    expect(between('quiet', 0, 150).failedShare).toBeLessThan(0.01);
  });

  it('bigger: answers take twice as long, and few of them too long', () => {
    const ratio = between('bigger', 50, 150).medianMs / between('bigger', 0, 50).medianMs;
    expect(ratio).toBeGreaterThan(1.8);
    expect(ratio).toBeLessThan(2.5);
    expect(between('bigger', 50, 150).failedShare).toBeLessThan(0.015);
  });

  it('pauses: nobody gets a response before they are over', () => {
    expect(between('pauses', 50.05, 50.3).leastMs).toBeGreaterThan(650);
    expect(between('pauses', 100.05, 100.5).leastMs).toBeGreaterThan(1_450);
    expect(between('pauses', 52, 99).failedShare).toBeLessThan(0.015);
  });

  it('crash: what the worker was doing is lost, and soon all is well again', () => {
    expect(between('crash', 49, 51).failures).toBeGreaterThan(2);
    expect(between('crash', 51, 80).failedShare).toBeLessThan(0.015);
  });

  it('death: no call succeeds until the host is back', () => {
    expect(between('death', 50.1, 89.9).failedShare).toBe(1);
    expect(between('death', 91, 120).failedShare).toBeLessThan(0.015);
  });

  it('brownout: a quarter of the calls fails, then a half, then three quarters', () => {
    expect(between('brownout', 40.1, 60).failedShare).toBeCloseTo(0.25, 1);
    expect(between('brownout', 60.1, 80).failedShare).toBeCloseTo(0.5, 1);
    expect(between('brownout', 80.1, 100).failedShare).toBeCloseTo(0.75, 1);
  });

  it('overload: answers get slower, then fail to come in time', () => {
    expect(between('overload', 55, 60).failedShare).toBeLessThan(0.05);
    expect(between('overload', 70, 80).medianMs).toBeGreaterThan(3 * between('overload', 0, 40).medianMs);
    expect(between('overload', 80, 100).failedShare).toBeGreaterThan(0.3);
  });
});

describe('predictive mode on recorded traces', () => {
  it('saves failures where a host declines, at the price in the README', async () => {
    const runs = [];
    for (const name of NAMES) {
      const trace = recording(name);
      const hard = await replay(trace, {});
      const early = await replay(trace, { predictive: {} });
      runs.push({ ...trace.header, hard, early });
    }
    const table = [
      '| recorded host | calls | failed calls that reached it | false trips | good calls refused |',
      '| --- | --- | --- | --- | --- |',
      ...runs.map(
        ({ name, calls, hard, early }) =>
          `| ${name} | ${calls} | ${hard.failures} → ${early.failures} | ${hard.falseTrips} → ${early.falseTrips} | ${hard.goodRefused} → ${early.goodRefused} |`,
      ),
    ].join('\n');
    const shown = docRegion('libs/infrastructure/circuit-breaker/README.md', 'predictive', table);
    expect(unpadded(shown)).toBe(unpadded(table));
  });
});
