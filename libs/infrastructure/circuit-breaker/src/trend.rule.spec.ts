import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.ts';
import { circuitBreakerConfig } from './circuit-breaker.config.ts';
import { HOST_LENGTH_S, HOST_TRACES, type HostTrace, traceDraws } from '../fixture/host-trace.ts';
import { TrendRule } from './trend.rule.ts';

const context = { id: 'call', signal: new AbortController().signal };
/** Spread of a host's latencies: nine of ten answers within a factor of two. */
const SIGMA = 0.4;
const ARRIVAL_MS = 100;
const SEED = 1954;

/** Ten calls a second against the host of a trace, through a breaker. @returns how often it opened while closed. */
async function tripsOn(trace: HostTrace): Promise<number> {
  jest.useFakeTimers();
  const draws = traceDraws(SEED);
  const breaker = new CircuitBreaker({ name: 'host', predictive: {} });
  let trips = 0;
  breaker.onChange(({ from }) => (trips += from === 'CLOSED' ? 1 : 0));
  for (let arrivalMs = 0; arrivalMs < HOST_LENGTH_S * 1000; arrivalMs += ARRIVAL_MS) {
    jest.advanceTimersByTime(Math.max(0, arrivalMs - performance.now()));
    const { luck, spread } = draws.next().value;
    const tookMs = trace.medianMs(performance.now() / 1000) * Math.exp(SIGMA * spread);
    const work = () => {
      jest.advanceTimersByTime(tookMs);
      return luck < trace.errorRate ? Promise.reject(new Error('reset')) : Promise.resolve();
    };
    await breaker.execute(work, context).catch(() => undefined);
  }
  return trips;
}

afterEach(() => {
  jest.useRealTimers();
});

const rule = () => {
  const { predictive } = circuitBreakerConfig.parse({ predictive: {} });
  if (!predictive) throw new Error('predictive is on');
  return new TrendRule(predictive);
};

describe('the trend rule', () => {
  it('says nothing before it knows the host', () => {
    const fresh = rule();
    for (let call = 0; call < 200; call += 1) {
      expect(fresh.judge({ failed: call % 2 === 0, tookMs: call })).toBeUndefined();
    }
  });

  it('needs four calls at least, however wild they are', () => {
    for (const wild of [
      { failed: true, tookMs: 60 },
      { failed: false, tookMs: 1e9 },
    ]) {
      const learned = rule();
      for (let call = 0; call < 200; call += 1) learned.judge({ failed: false, tookMs: 60 });
      const verdicts = [1, 2, 3, 4].map(() => learned.judge(wild));
      expect(verdicts).toEqual([
        undefined,
        undefined,
        undefined,
        wild.failed ? 'error_trend' : 'latency_trend',
      ]);
    }
  });

  const learnedFrom = (call: (index: number) => { failed: boolean; tookMs: number }) => {
    const learned = rule();
    for (let index = 0; index < 200; index += 1) learned.judge(call(index));
    return learned;
  };
  /** How many calls of this kind it takes until the rule opens. */
  const callsToOpen = (judging: TrendRule, call: { failed: boolean; tookMs: number }, reason: string) => {
    for (let calls = 1; calls <= 100; calls += 1) {
      const verdict = judging.judge(call);
      if (verdict) expect(verdict).toBe(reason);
      if (verdict) return calls;
    }
    return Infinity;
  };

  it('takes no success for a sign of trouble, not even on a host that never had one', () => {
    const learned = learnedFrom(() => ({ failed: true, tookMs: 60 }));
    expect(callsToOpen(learned, { failed: false, tookMs: 60 }, 'none')).toBe(Infinity);
  });

  it('sees a flaky host fail for good', () => {
    const learned = learnedFrom((index) => ({ failed: index % 10 < 3, tookMs: 60 }));
    learned.judge({ failed: false, tookMs: 60 });
    expect(callsToOpen(learned, { failed: true, tookMs: 60 }, 'error_trend')).toBeLessThan(15);
  });

  it('does not count how long failures take', () => {
    const learned = learnedFrom(() => ({ failed: false, tookMs: 60 }));
    for (let call = 0; call < 3; call += 1) learned.judge({ failed: true, tookMs: 1e9 });
    expect(learned.judge({ failed: false, tookMs: 1e9 })).toBeUndefined();
  });

  it('takes a very even host to be a little uneven', () => {
    const learned = learnedFrom(() => ({ failed: false, tookMs: 60 }));
    const calls = callsToOpen(learned, { failed: false, tookMs: 126 }, 'latency_trend');
    expect(calls).toBeGreaterThan(5);
    expect(calls).toBeLessThan(10);
  });

  it('can stand a response that took no time', () => {
    const learned = learnedFrom((index) => ({ failed: false, tookMs: index === 50 ? 0 : 60 }));
    expect(callsToOpen(learned, { failed: false, tookMs: 1e9 }, 'latency_trend')).toBe(4);
  });

  it('does not mind a host that gets faster', () => {
    const learned = rule();
    for (let call = 0; call < 200; call += 1) learned.judge({ failed: false, tookMs: 60 });
    for (let call = 0; call < 1_000; call += 1) {
      expect(learned.judge({ failed: false, tookMs: 60 / (1 + call) })).toBeUndefined();
    }
  });
});

describe('false trips', () => {
  it('come less than once in 100,000 independent calls of each kind, also on a flaky, uneven host', () => {
    const draws = traceDraws(SEED);
    let judging = rule();
    let trips = 0;
    for (let call = 0; call < 500_000; call += 1) {
      const { luck, spread } = draws.next().value;
      if (!judging.judge({ failed: luck < 0.03, tookMs: 60 * Math.exp(2 * SIGMA * spread) })) continue;
      trips += 1;
      judging = rule();
    }
    expect(trips).toBeLessThanOrEqual(10);
  });
});

describe('predictive mode on generated half-hours', () => {
  it.each(HOST_TRACES)('opens a healthy host $falseTrips times: $name', async (trace) => {
    expect(await tripsOn(trace)).toBe(trace.falseTrips);
  });
});
