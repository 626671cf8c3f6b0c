import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AppError, Deadline, listSettings } from '@morgan/foundation';
import { RateLimiter } from './rate-limiter.ts';
import { type RateLimiterSettings, rateLimiterConfig } from './rate-limiter.config.ts';

const build = (given: Partial<RateLimiterSettings> = {}) =>
  new RateLimiter({ name: 'test', ...rateLimiterConfig.parse({ limit: 10, ...given }) });

const algorithms = ['token-bucket', 'sliding-window'] as const;

async function fill(limiter: RateLimiter, units: number, key = 'a') {
  for (let unit = 0; unit < units; unit += 1) await limiter.acquire(key);
}

const fault = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it was admitted');
    },
    (error: unknown) => error as AppError,
  );

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe.each(algorithms)('a limiter with a %s', (algorithm) => {
  it.each([NaN, -1, Infinity])(
    'takes no %s for what a call cost or a host asks for, and goes on',
    async (odd) => {
      const limiter = build({ algorithm });
      const permit = await limiter.acquire('a', 4);
      expect(() => permit.settle(odd)).toThrow(RangeError);
      await expect(limiter.penalize('a', odd)).rejects.toThrow(RangeError);
      expect((await limiter.inspect('a')).used).toBe(4);
      permit.settle(1);
      expect((await limiter.inspect('a')).used).toBe(1);
      expect((await limiter.tryAcquire('a', 9)).admitted).toBe(true);
      expect((await limiter.tryAcquire('a', 1)).admitted).toBe(false);
    },
  );

  it('admits without a timer while there is room, and each key for itself', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10, 'a');
    await fill(limiter, 10, 'b');
    expect(jest.getTimerCount()).toBe(0);
    expect(limiter.getStatus()).toMatchObject({ admitted: 20, refused: 0, waiting: 0 });
  });

  it('tells how long one more would wait behind those who do, and takes nothing', async () => {
    const limiter = build({ algorithm, windowMs: 1_000 });
    expect(limiter.peekWaitMs('a', 10)).toBe(0);
    await fill(limiter, 10);
    const waiting = [8, 8].map((cost) => limiter.acquire('a', cost));
    for (let time = 0; time < 2; time += 1)
      expect(limiter.peekWaitMs('a', 2)).toBeCloseTo(algorithm === 'token-bucket' ? 1_800 : 2_000, 0);
    expect(limiter.getStatus()).toMatchObject({ name: 'test', admitted: 10, waiting: 2 });
    await jest.advanceTimersByTimeAsync(2_000);
    await Promise.all(waiting);
  });

  it('refuses at once with the exact time after which it admits', async () => {
    const limiter = build({ algorithm, maxWaitMs: 0 });
    await fill(limiter, 10);
    const error = await fault(limiter.acquire('a', 3));
    expect(error).toMatchObject({ code: 'rate_limited', kind: 'rate_limited' });
    const retryAfterMs = error.retryAfterMs as number;
    jest.advanceTimersByTime(retryAfterMs - 2);
    expect((await limiter.tryAcquire('a', 3)).admitted).toBe(false);
    jest.advanceTimersByTime(2);
    expect((await limiter.tryAcquire('a', 3)).admitted).toBe(true);
  });

  it('serves those who wait in their order, a large cost too, and nobody overtakes', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10);
    const order: string[] = [];
    const wait = (name: string, cost: number) => limiter.acquire('a', cost).then(() => order.push(name));
    const all = [wait('first', 1), wait('large', 8), wait('small', 1), wait('last', 1)];
    expect((await limiter.tryAcquire('a', 1)).admitted).toBe(false);
    expect(limiter.getStatus().waiting).toBe(4);
    await jest.advanceTimersByTimeAsync(3_000);
    await Promise.all(all);
    expect(order).toEqual(['first', 'large', 'small', 'last']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives what there is without a promise, and has others wait or refuses them as ever', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 9);
    const permit = limiter.take('a');
    if (permit instanceof Promise) throw new Error('it has to wait');
    expect(() => limiter.take('a', 1, { maxWaitMs: 0 })).toThrow('The rate limit is reached');
    const waiting = limiter.take('a');
    expect(waiting).toBeInstanceOf(Promise);
    permit.settle(0);
    await waiting;
    expect(limiter.getStatus()).toMatchObject({ admitted: 11, refused: 1, waiting: 0 });
  });

  it('counts those ahead into what it foresees', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10);
    const ahead = [limiter.acquire('a', 5), limiter.acquire('a', 5)];
    const { retryAfterMs = 0 } = await fault(limiter.acquire('a', 1, { maxWaitMs: 10 }));
    await jest.advanceTimersByTimeAsync(retryAfterMs - 2);
    expect((await limiter.tryAcquire('a')).admitted).toBe(false);
    await jest.advanceTimersByTimeAsync(3);
    await Promise.all(ahead);
    expect((await limiter.tryAcquire('a')).admitted).toBe(true);
  });

  it('counts those who have left no more', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10);
    const { signal, abort } = withAbort();
    const gone = fault(limiter.acquire('a', 5, { signal }));
    const ahead = limiter.acquire('a', 5);
    abort();
    await gone;
    const { retryAfterMs = 0 } = await fault(limiter.acquire('a', 1, { maxWaitMs: 10 }));
    expect(retryAfterMs).toBeLessThanOrEqual(algorithm === 'token-bucket' ? 600 : 1_002);
    await jest.advanceTimersByTimeAsync(retryAfterMs);
    await ahead;
  });

  it('lets nobody wait for those who are refused', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10);
    const impatient = fault(limiter.acquire('a', 10, { maxWaitMs: 1_500 }));
    let isAdmitted = false;
    const behind = limiter.acquire('a', 1).then(() => (isAdmitted = true));
    await limiter.penalize('a', 2_000);
    expect(await impatient).toMatchObject({ code: 'rate_limited', retryAfterMs: 2_000 });
    await jest.advanceTimersByTimeAsync(1_998);
    expect(isAdmitted).toBe(false);
    await jest.advanceTimersByTimeAsync(3);
    expect(isAdmitted).toBe(true);
    await behind;
  });

  it('refuses a wait that would outlast the deadline at once, and lets a shorter one wait', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10);
    const { retryAfterMs = 0 } = await fault(limiter.acquire('a', 10, { deadline: Deadline.after(50) }));
    expect(retryAfterMs).toBeGreaterThan(900);
    const waiting = limiter.acquire('a', 10, { deadline: Deadline.after(retryAfterMs + 1) });
    await jest.advanceTimersByTimeAsync(retryAfterMs + 1);
    await waiting;
  });

  it('lets go of a caller that aborts, without a listener or a timer, and those behind move up', async () => {
    const limiter = build({ algorithm });
    await fill(limiter, 10);
    const { signal, abort } = withAbort();
    const remove = jest.spyOn(signal, 'removeEventListener');
    const gone = fault(limiter.acquire('a', 10, { signal }));
    const behind = limiter.acquire('a', 1);
    abort();
    expect(await gone).toBe(signal.reason);
    expect(remove).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(algorithm === 'token-bucket' ? 101 : 1_002);
    await behind;
    expect(jest.getTimerCount()).toBe(0);
    expect(limiter.getStatus()).toMatchObject({ aborted: 1, waiting: 0 });
    expect(await fault(limiter.acquire('a', 1, { signal }))).toBe(signal.reason);
  });

  it('admits nothing for as long as a host asked, and refuses those who waited in vain', async () => {
    const limiter = build({ algorithm, maxWaitMs: 500 });
    await limiter.penalize('a', 2_000);
    await limiter.penalize('a', 1);
    expect(await fault(limiter.acquire('a'))).toMatchObject({ code: 'rate_limited', retryAfterMs: 2_000 });
    jest.advanceTimersByTime(1_999);
    expect((await limiter.tryAcquire('a')).admitted).toBe(false);
    jest.advanceTimersByTime(1);
    expect((await limiter.tryAcquire('a')).admitted).toBe(true);
    await fill(limiter, 9);
    const waiting = fault(limiter.acquire('a', 1, { maxWaitMs: 1_500 }));
    await limiter.penalize('a', 9_000);
    expect(await waiting).toMatchObject({ retryAfterMs: 9_000 });
  });

  it('has nothing left after a drain', async () => {
    const limiter = build({ algorithm });
    await limiter.drain('a');
    expect((await limiter.tryAcquire('a')).admitted).toBe(false);
    expect(await limiter.inspect('a')).toEqual({ used: 10, utilisation: 1, waiting: 0 });
  });

  it('reserves an estimate and settles the truth', async () => {
    const limiter = build({ algorithm, limit: 1_000 });
    const permit = await limiter.acquire('a', 800);
    expect((await limiter.inspect('a')).utilisation).toBeCloseTo(0.8);
    permit.settle(100);
    expect((await limiter.inspect('a')).used).toBeCloseTo(100);
    permit.settle(300);
    expect((await limiter.inspect('a')).used).toBeCloseTo(300);
  });

  it('admits those who wait as soon as something is given back', async () => {
    const limiter = build({ algorithm, limit: 10, windowMs: 60_000 });
    const permit = await limiter.acquire('a', 10);
    const waiting = [
      limiter.acquire('a', 4, { maxWaitMs: 60_000 }),
      limiter.acquire('a', 4, { maxWaitMs: 90_000 }),
    ];
    permit.settle(2);
    await Promise.all(waiting);
    expect((await limiter.inspect('a')).used).toBeCloseTo(10);
  });

  it('refuses for good what can never fit, and what is no cost', async () => {
    const limiter = build({ algorithm });
    const error = await fault(limiter.acquire('a', 11));
    expect(error).toMatchObject({ code: 'cost_above_limit', status: 413, retryAfterMs: undefined });
    expect(await fault(limiter.acquire('a', Number.NaN))).toBeInstanceOf(RangeError);
    expect(await fault(limiter.acquire('a', -1))).toBeInstanceOf(RangeError);
  });

  it('refuses a wait that is no number, which would have no end behind Redis', async () => {
    const limiter = build({ algorithm, limit: 1 });
    expect(await fault(limiter.acquire('a', 1, { maxWaitMs: Number.NaN }))).toBeInstanceOf(RangeError);
    expect((await limiter.inspect('a')).used).toBe(0);
  });

  it.each(algorithms)('does not forget a key while it is asked for again, with a %s', async (algorithm) => {
    const limiter = build({ algorithm });
    for (let round = 0; round < 20; round += 1) {
      expect((await limiter.tryAcquire('a', 10)).admitted).toBe(true);
      expect((await limiter.tryAcquire('a', 1)).admitted).toBe(false);
      jest.advanceTimersByTime(5_000);
    }
  });

  it('forgets idle keys', async () => {
    const limiter = build({ algorithm });
    for (let key = 0; key < 10_000; key += 1) await limiter.acquire(`key ${key}`);
    expect(limiter.getStatus().store.keys).toBe(10_000);
    jest.advanceTimersByTime(2_000);
    for (let key = 0; key < 10_000; key += 1) await limiter.acquire(`next ${key}`);
    expect(limiter.getStatus().store.keys).toBeLessThanOrEqual(10_000);
    jest.advanceTimersByTime(2_000);
    for (let call = 0; call < 81_000; call += 1) await limiter.tryAcquire('last', 0);
    expect(limiter.getStatus().store.keys).toBeLessThanOrEqual(1);
  });

  it('of 10,000 per second admits 9,900 to 10,000 in every second under load', async () => {
    const burst = algorithm === 'token-bucket' ? 500 : undefined;
    const limiter = build({ algorithm, limit: 10_000, burst });
    const admitted: number[] = [];
    const start = performance.now();
    const load = Array.from({ length: 200 }, async () => {
      while (performance.now() - start < 3_200) {
        await limiter.acquire('a');
        admitted.push(performance.now() - start);
      }
    });
    await jest.advanceTimersByTimeAsync(4_000);
    await Promise.all(load);
    for (const from of [1_100, 2_100]) {
      const count = admitted.filter((at) => at >= from && at < from + 1_000).length;
      expect(count).toBeGreaterThanOrEqual(9_900);
      expect(count).toBeLessThanOrEqual(10_000);
    }
  });
});

describe('the configuration', () => {
  it('has defaults for everything but the limit, and knows no other keys', () => {
    expect(rateLimiterConfig.parse({ limit: 5 })).toEqual({
      algorithm: 'token-bucket',
      limit: 5,
      windowMs: 1_000,
      maxWaitMs: 5_000,
      replicas: 1,
      onStoreFailure: 'local-share',
    });
    expect(rateLimiterConfig.safeParse({ limit: 5, rate: 1 }).success).toBe(false);
    expect(listSettings(rateLimiterConfig)).toHaveLength(7);
  });
});

function withAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
