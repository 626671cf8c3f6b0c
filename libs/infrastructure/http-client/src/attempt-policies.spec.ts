import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type CallContext, silentLogger } from '@morgan/foundation';
import { CircuitBreakerMetrics } from '@morgan/circuit-breaker';
import { ConcurrencyMetrics } from '@morgan/concurrency';
import { RateLimiterMetrics } from '@morgan/rate-limiter';
import { Metrics } from '@morgan/telemetry';
import type { z } from 'zod';
import { AttemptPolicies, type AttemptPoliciesOptions, type AttemptRequest } from './attempt-policies.ts';
import { attemptPoliciesConfig } from './attempt-policies.config.ts';

const context = (): CallContext => ({ id: 'call', signal: new AbortController().signal });

const policiesOf = (
  config: z.input<typeof attemptPoliciesConfig>,
  more: Partial<AttemptPoliciesOptions> = {},
) => new AttemptPolicies({ name: 'host', config: attemptPoliciesConfig.parse(config), ...more });

/** An attempt that ends when it is told to. */
function attemptAt(policies: AttemptPolicies, tokens?: number) {
  const work = Promise.withResolvers<string>();
  let begun = false;
  const outcome = policies
    .execute(
      () => {
        begun = true;
        return work.promise;
      },
      { ...context(), tokens },
    )
    .catch((error: unknown) => (error as { code: string }).code);
  return { outcome, end: () => work.resolve('done'), fail: work.reject, isBegun: () => begun };
}

const settle = () => jest.advanceTimersByTimeAsync(0);

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('the policies around an attempt', () => {
  it('let a call wait for the rate without holding a slot that others could use', async () => {
    const policies = policiesOf({
      circuitBreaker: {},
      rateLimit: { requestsPerSecond: 1 },
      concurrency: { maxConcurrent: 1, maxQueue: 0 },
    });
    const first = attemptAt(policies);
    await settle();
    first.end();
    await settle();
    const second = attemptAt(policies);
    await settle();
    expect(policies.getStatus()).toMatchObject({ rateLimit: { waiting: 1 }, concurrency: { running: 0 } });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(second.isBegun()).toBe(true);
    second.end();
    expect(await second.outcome).toBe('done');
  });

  it('take no wait for a slot for a slow target', async () => {
    const policies = policiesOf({
      circuitBreaker: { slowCallMs: 1_000 },
      concurrency: { maxConcurrent: 1, maxQueue: 1 },
    });
    const [first, second] = [attemptAt(policies), attemptAt(policies)];
    await jest.advanceTimersByTimeAsync(900);
    first.end();
    await settle();
    await jest.advanceTimersByTimeAsync(900);
    second.end();
    await second.outcome;
    expect(policies.breaker.getStatus().totals).toMatchObject({ success: 2, slow: 0 });
  });

  it('give back what a limit took for an attempt that was never begun', async () => {
    const policies = policiesOf({
      circuitBreaker: {},
      rateLimit: { requestsPerSecond: 2 },
      tokenLimit: { tokensPerMinute: 100, maxWaitMs: 0 },
      concurrency: { maxConcurrent: 1, maxQueue: 0 },
    });
    const first = attemptAt(policies, 60);
    await settle();
    expect(await attemptAt(policies, 40).outcome).toBe('bulkhead_full');
    first.end();
    await first.outcome;
    // A refusal by the limit of tokens costs no request either.
    expect(await attemptAt(policies, 41).outcome).toBe('rate_limited');
    const last = attemptAt(policies, 40);
    await settle();
    expect(last.isBegun()).toBe(true);
    last.end();
    await last.outcome;
    expect(policies.availability(0)).toMatchObject({ available: false, because: 'rate_limited' });
  });

  it('give it back, too, where its caller has left when the adaptive timeout is to begin', async () => {
    const policies = policiesOf({
      circuitBreaker: { failureThreshold: 1 },
      rateLimit: { requestsPerSecond: 1 },
      adaptiveTimeout: {},
    });
    const leaving = new AbortController();
    await policies.execute(() => Promise.reject(new Error('no')), context()).catch(() => undefined);
    policies.breaker.onChange(({ to }) => to === 'HALF_OPEN' && leaving.abort(new Error('left')));
    await jest.advanceTimersByTimeAsync(60_000);
    const work = jest.fn(() => Promise.resolve());
    const attempt = policies.execute(work, { id: 'call', signal: leaving.signal });
    await expect(attempt).rejects.toThrow('left');
    expect(work).not.toHaveBeenCalled();
    expect(policies.room()).toEqual({ available: true });
  });

  it('keep what a limit took of an attempt that has begun, however it ends', async () => {
    const policies = policiesOf({ circuitBreaker: {}, rateLimit: { requestsPerSecond: 1 } });
    await policies.execute(() => Promise.reject(new Error('no')), context()).catch(() => undefined);
    expect(policies.room()).toMatchObject({ available: false, because: 'rate_limited' });
  });

  it('are those that are configured, and have no most tokens without a limit of them', () => {
    const policies = policiesOf({ circuitBreaker: {} });
    expect(Object.keys(policies.getStatus())).toEqual(['circuitBreaker']);
    expect(policies.mostTokens).toBe(Infinity);
    expect(policiesOf({ circuitBreaker: {}, tokenLimit: { tokensPerMinute: 7 } }).mostTokens).toBe(7);
  });

  it('warn of a circuit that opens, and tell of one that closes', () => {
    const logger = { ...silentLogger, warn: jest.fn(), info: jest.fn() };
    const { breaker } = policiesOf({ circuitBreaker: {} }, { logger });
    breaker.forceOpen();
    expect([logger.warn.mock.calls.length, logger.info.mock.calls.length]).toEqual([1, 0]);
    breaker.forceClose();
    expect([logger.warn.mock.calls.length, logger.info.mock.calls.length]).toEqual([1, 1]);
  });

  it('rest for five minutes at most, and up to a quarter of that, whatever the target asks for', async () => {
    const policies = policiesOf({ circuitBreaker: {}, rateLimit: { requestsPerSecond: 2 } });
    await policies.slowDown(86_400_000);
    const availability = policies.availability();
    const waitMs = availability.available ? 0 : (availability.retryAfterMs ?? 0);
    expect(waitMs).toBeGreaterThanOrEqual(299_000);
    expect(waitMs).toBeLessThanOrEqual(375_000);
  });

  it('replace estimated tokens by those that were used', async () => {
    const policies = policiesOf({ circuitBreaker: {}, tokenLimit: { tokensPerMinute: 100, maxWaitMs: 0 } });
    await policies.execute(async (_, { settleTokens }) => Promise.resolve(settleTokens(10)), {
      ...context(),
      tokens: 100,
    });
    expect(policies.allows(90)).toBe(true);
    expect(policies.allows(91)).toBe(false);
  });

  it('ask the caller what an attempt says about the target', async () => {
    const verdicts = ['ignored', 'failure'] as const;
    let call = 0;
    const policies = policiesOf(
      { circuitBreaker: { failureThreshold: 1 } },
      { assess: () => ({ verdict: verdicts[call++] ?? 'success', overloaded: false }) },
    );
    await policies.execute(() => Promise.resolve(), context());
    expect(policies.breaker.state).toBe('CLOSED');
    await policies.execute(() => Promise.resolve(), context());
    expect(policies.breaker.state).toBe('OPEN');
    expect(await attemptAt(policies).outcome).toBe('circuit_open');
  });
});

describe('availability', () => {
  it('tells why not and for how long, and takes nothing', async () => {
    const policies = policiesOf({
      circuitBreaker: { failureThreshold: 1, resetTimeoutMs: 5_000, resetJitter: 0 },
      rateLimit: { requestsPerSecond: 1, burst: 2 },
      concurrency: { maxConcurrent: 1, maxQueue: 0 },
    });
    for (let look = 0; look < 10; look += 1) expect(policies.availability()).toEqual({ available: true });
    const first = attemptAt(policies);
    await settle();
    expect(policies.availability()).toEqual({
      available: false,
      because: 'bulkhead_full',
      retryAfterMs: undefined,
    });
    first.end();
    await first.outcome;
    await policies.slowDown(3_000);
    expect(policies.availability()).toEqual({
      available: false,
      because: 'rate_limited',
      retryAfterMs: 3_000,
    });
    await jest.advanceTimersByTimeAsync(3_000);
    expect(policies.allows()).toBe(true);
    const second = attemptAt(policies);
    await settle();
    second.fail(new Error('broken'));
    await second.outcome;
    expect(policies.availability()).toEqual({
      available: false,
      because: 'circuit_open',
      retryAfterMs: 5_000,
    });
    expect(policies.getStatus()).toMatchObject({ rateLimit: { admitted: 2, refused: 0 } });
  });
});

describe('an attempt that is judged later than its answer is there', () => {
  const FAILED = { verdict: 'failure', overloaded: false } as const;
  const assess: AttemptPoliciesOptions['assess'] = (ending) =>
    'result' in ending ? (ending.result as typeof FAILED) : { verdict: 'ignored', overloaded: false };

  it('begins at once where only a breaker stands in front, which hears of its end', () => {
    const policies = policiesOf({ circuitBreaker: { failureThreshold: 1 } }, { assess });
    const begun = policies.begin(context());
    if (begun instanceof Promise) throw new Error('it has to wait');
    expect([policies.mayQueue, begun.settleTokens, policies.breaker.state]).toEqual([
      false,
      undefined,
      'CLOSED',
    ]);
    begun.end(FAILED);
    expect(policies.breaker.state).toBe('OPEN');
    expect(() => policies.begin(context())).toThrow('circuit is open');
  });

  const SUCCEEDED = { verdict: 'success', overloaded: false } as const;
  const limited = (maxQueue: number) =>
    policiesOf(
      {
        circuitBreaker: { failureThreshold: 1 },
        rateLimit: { requestsPerSecond: 2 },
        tokenLimit: { tokensPerMinute: 60 },
        concurrency: { maxConcurrent: 1, maxQueue },
      },
      { assess },
    );
  const beginAtOnce = (policies: AttemptPolicies, tokens: number) => {
    const begun = policies.begin({ ...context(), tokens });
    if (begun instanceof Promise) throw new Error('it has to wait');
    return begun;
  };

  it('begins at once where every limit has room', () => {
    const policies = limited(0);
    const begun = beginAtOnce(policies, 10);
    expect(policies.getStatus()).toMatchObject({
      rateLimit: { admitted: 1 },
      tokenLimit: { admitted: 1 },
      concurrency: { running: 1 },
    });
    begun.settleTokens?.(60);
    begun.end(SUCCEEDED);
    expect(policies.getStatus()).toMatchObject({
      concurrency: { running: 0 },
      circuitBreaker: { totals: { success: 1 } },
    });
    expect(policies.availability(1)).toMatchObject({ because: 'rate_limited' });
  });

  it.each<[string, Partial<AttemptRequest>, string]>([
    ['asks for more tokens than there ever are', { tokens: 61 }, 'cost_above_limit'],
    ['asks for more tokens than are left', { tokens: 51, maxWaitMs: 0 }, 'rate_limited'],
    ['finds no slot', { tokens: 50 }, 'bulkhead_full'],
    [
      'is no longer wanted',
      { signal: AbortSignal.abort(new AppError('client_closed_request', 'x')) },
      'client_closed_request',
    ],
  ])('takes nothing where it %s', async (_, request, code) => {
    const policies = limited(0);
    const first = beginAtOnce(policies, 10);
    const refused = async () => policies.begin({ ...context(), ...request });
    await expect(refused()).rejects.toMatchObject({ code });
    first.end(SUCCEEDED);
    beginAtOnce(policies, 50).end(SUCCEEDED);
    expect(policies.getStatus()).toMatchObject({ concurrency: { running: 0, waiting: 0 } });
  });

  it.each(['its caller leaves', 'the circuit opens'])(
    'takes nothing where %s while it waits',
    async (what) => {
      const policies = limited(1);
      const first = beginAtOnce(policies, 10);
      const caller = new AbortController();
      const second = Promise.resolve(policies.begin({ ...context(), signal: caller.signal, tokens: 50 }));
      if (what === 'its caller leaves') caller.abort(new Error(what));
      first.end(what === 'the circuit opens' ? FAILED : SUCCEEDED);
      await expect(second).rejects.toThrow(what === 'the circuit opens' ? 'circuit is open' : what);
      policies.breaker.reset();
      beginAtOnce(policies, 50).end(SUCCEEDED);
      expect(policies.getStatus()).toMatchObject({ concurrency: { running: 0, waiting: 0 } });
    },
  );

  it('takes nothing where the circuit opens while it waits for a limit', async () => {
    const config = { circuitBreaker: { failureThreshold: 1 }, rateLimit: { requestsPerSecond: 1 } };
    const policies = policiesOf(config, { assess });
    const first = beginAtOnce(policies, 0);
    const second = expect(policies.begin(context())).rejects.toMatchObject({ code: 'circuit_open' });
    first.end(FAILED);
    await jest.advanceTimersByTimeAsync(1_000);
    await second;
    expect(policies.room()).toEqual({ available: true });
  });

  it('begins past an open circuit where that is asked for, within its limits, and teaches it nothing', async () => {
    const config = {
      circuitBreaker: { failureThreshold: 1 },
      concurrency: { maxConcurrent: 1, maxQueue: 0 },
    };
    const policies = policiesOf(config, { assess });
    beginAtOnce(policies, 0).end(FAILED);
    expect(policies.breaker.state).toBe('OPEN');
    const past = { ...context(), ignoresCircuit: true };
    const begun = policies.begin(past);
    if (begun instanceof Promise) throw new Error('it has to wait');
    await expect(Promise.resolve(policies.begin(past))).rejects.toMatchObject({ code: 'bulkhead_full' });
    begun.end(SUCCEEDED);
    expect(policies.getStatus()).toMatchObject({
      circuitBreaker: { state: 'OPEN', totals: { success: 0, failure: 1 } },
      concurrency: { running: 0 },
    });
  });

  it('gives its slot to another before it is known how it went', () => {
    const config = {
      circuitBreaker: { failureThreshold: 1 },
      concurrency: { maxConcurrent: 1, maxQueue: 1 },
    };
    const policies = policiesOf(config, { assess });
    const first = beginAtOnce(policies, 0);
    first.leave();
    const second = beginAtOnce(policies, 0);
    expect(policies.breaker.state).toBe('CLOSED');
    first.end(FAILED);
    expect(policies.getStatus()).toMatchObject({
      circuitBreaker: { state: 'OPEN' },
      concurrency: { running: 1 },
    });
    second.end(SUCCEEDED);
    expect(policies.getStatus().concurrency?.running).toBe(0);
  });

  it('waits no longer than its limits say, however long it may', async () => {
    const policies = policiesOf({ circuitBreaker: {}, rateLimit: { requestsPerSecond: 1, maxWaitMs: 0 } });
    const request = { ...context(), maxWaitMs: 60_000 };
    await policies.begin(request);
    await expect((async () => policies.begin(request))()).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('waits for its turn where there are limits, and holds its slot until its end is said', async () => {
    const config = {
      circuitBreaker: { failureThreshold: 1 },
      tokenLimit: { tokensPerMinute: 60 },
      concurrency: { maxConcurrent: 1, maxQueue: 1 },
    };
    const policies = policiesOf(config, { assess });
    const first = await policies.begin({ ...context(), tokens: 10 });
    let second: unknown;
    const waits = Promise.resolve(policies.begin(context())).then((begun) => (second = begun));
    await settle();
    expect([policies.mayQueue, second]).toEqual([true, undefined]);
    first.settleTokens?.(30);
    expect(policies.getStatus()).toMatchObject({ concurrency: { running: 1, waiting: 1 } });
    first.end({ verdict: 'success', overloaded: false });
    await waits;
    expect(policies.availability(31)).toMatchObject({ because: 'rate_limited' });
    expect(policies.breaker.getStatus().totals).toMatchObject({ success: 1, failure: 0 });
  });
});

describe('stop', () => {
  it('takes the target out of every metric', async () => {
    const registry = new Metrics();
    const metrics = {
      breaker: new CircuitBreakerMetrics(registry),
      limiter: new RateLimiterMetrics(registry),
      concurrency: new ConcurrencyMetrics(registry),
    };
    const config = { circuitBreaker: {}, rateLimit: { requestsPerSecond: 1 }, concurrency: {} };
    const policies = policiesOf(config, { metrics });
    const gauges =
      /^morgan_(circuit_breaker_state|rate_limiter_(waiting|keys|degraded)|concurrency_)\S*"host"/m;
    expect(await registry.render()).toMatch(gauges);
    policies.stop();
    expect(await registry.render()).not.toMatch(gauges);
  });

  it('takes limits out that those in its place do not go on with', async () => {
    const registry = new Metrics();
    const metrics = {
      breaker: new CircuitBreakerMetrics(registry),
      limiter: new RateLimiterMetrics(registry),
      concurrency: new ConcurrencyMetrics(registry),
    };
    const before = policiesOf(
      { circuitBreaker: {}, rateLimit: { requestsPerSecond: 1 }, concurrency: {} },
      { metrics },
    );
    const next = policiesOf({ circuitBreaker: {} }, { metrics, before });
    before.stop(next);
    expect(await registry.render()).not.toMatch(/^morgan_(rate_limiter_keys|concurrency_)\S*"host"/m);
  });
});
