import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type CallContext, Deadline } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { HedgePolicy, type HedgeOptions } from './hedge.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import { RetryMetrics } from './retry-metrics.ts';

interface Attempt {
  readonly atMs: number;
  readonly signal: AbortSignal;
  readonly succeed: (result: string) => void;
  readonly fail: (error: Error) => void;
}

describe('a hedge policy', () => {
  let controller: AbortController;
  let context: CallContext;
  let attempts: Attempt[];

  const create = (options: Partial<HedgeOptions> = {}) =>
    new HedgePolicy({ budget: new RetryBudget(), delayMs: 100, ...options });
  /** Ends when the test says so, or when its signal aborts. */
  const work = ({ signal }: CallContext) =>
    new Promise<string>((resolve, reject) => {
      const onAbort = () => reject(new Error('aborted'));
      signal.addEventListener('abort', onAbort);
      const succeed = (result: string) => {
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      attempts.push({ atMs: performance.now(), signal, succeed, fail: reject });
    });
  const taking = (ms: number) => () => new Promise<string>((resolve) => setTimeout(resolve, ms, 'done'));
  const at = (index: number) => attempts[index] as Attempt;
  const after = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    jest.useFakeTimers();
    controller = new AbortController();
    context = { id: 'call', signal: controller.signal };
    attempts = [];
  });

  afterEach(() => {
    const timersLeft = jest.getTimerCount();
    jest.useRealTimers();
    expect(timersLeft).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('makes one attempt where that answers in time, and none later', async () => {
    const policy = create();
    const result = policy.execute(work, context);
    await after(99);
    at(0).succeed('first');
    expect(await result).toBe('first');
    await after(1000);
    expect(attempts).toHaveLength(1);
    expect(policy.getStatus().outcomes).toEqual({ won: 0, lost: 0, failed: 0 });
  });

  it('starts a second attempt after the delay, takes its response and aborts the first', async () => {
    const policy = create();
    const result = policy.execute(work, context);
    await after(100);
    expect(attempts.map(({ atMs }) => atMs)).toEqual([0, 100]);
    at(1).succeed('second');
    expect(await result).toBe('second');
    expect([at(0).signal.aborted, at(1).signal.aborted]).toEqual([true, false]);
    expect(policy.getStatus().outcomes.won).toBe(1);
  });

  it('takes the response of the first attempt and aborts the second', async () => {
    const policy = create();
    const result = policy.execute(work, context);
    await after(150);
    at(0).succeed('first');
    expect(await result).toBe('first');
    expect([at(0).signal.aborted, at(1).signal.aborted]).toEqual([false, true]);
    expect(policy.getStatus().outcomes.lost).toBe(1);
    await after(1000);
    expect(attempts).toHaveLength(2);
  });

  it('drops what the loser answers after all', async () => {
    const policy = create();
    const deaf = () => new Promise<number>((resolve) => setTimeout(resolve, 300, performance.now()));
    const result = policy.execute(deaf, context);
    await after(1000);
    expect([await result, policy.getStatus().outcomes]).toEqual([0, { won: 0, lost: 1, failed: 0 }]);
  });

  it('leaves no rejection of the loser unhandled', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const result = create().execute(work, context);
    await after(100);
    at(1).succeed('second');
    await result;
    at(0).fail(new Error('too late'));
    jest.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    jest.useFakeTimers();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('gives an error of the only attempt at once', async () => {
    const result = create().execute(work, context);
    at(0).fail(new Error('fault'));
    await expect(result).rejects.toThrow('fault');
    expect(attempts).toHaveLength(1);
  });

  it('gives what the work throws at once, and hedges no more', async () => {
    const error = new Error('bug');
    const thrower = jest.fn(() => {
      throw error;
    });
    await expect(create().execute(thrower, context)).rejects.toBe(error);
    await after(1000);
    expect(thrower).toHaveBeenCalledTimes(1);
  });

  it('goes on with the other attempt when one fails', async () => {
    for (const [failing, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      attempts = [];
      const result = create().execute(work, context);
      await after(100);
      at(failing).fail(new Error('fault'));
      await after(10);
      at(other).succeed('other');
      expect(await result).toBe('other');
    }
  });

  it('gives the first error when both fail', async () => {
    const policy = create();
    const result = policy.execute(work, context);
    await after(100);
    at(1).fail(new Error('second attempt'));
    at(0).fail(new Error('first attempt'));
    await expect(result).rejects.toThrow('second attempt');
    expect(policy.getStatus().outcomes.failed).toBe(1);
  });

  it("aborts both attempts on the caller's abort, and starts none after it", async () => {
    const both = create().execute(work, context);
    await after(100);
    const deaf = create().execute(taking(500), context);
    const reason = new AppError('client_closed_request', 'gone');
    controller.abort(reason);
    await expect(both).rejects.toThrow('aborted');
    expect(attempts.map(({ signal }) => signal.reason as unknown)).toEqual([reason, reason]);
    await after(500);
    expect(await deaf).toBe('done');
  });

  it("lets the caller's abort reach a response that goes on after the result", async () => {
    const result = create().execute(work, context);
    at(0).succeed('headers of a stream');
    await result;
    await after(1000);
    controller.abort();
    expect(at(0).signal.aborted).toBe(true);
  });

  it('does not hedge beyond the budget', async () => {
    const budget = new RetryBudget({ minPerSecond: 0.1 });
    const policy = create({ budget });
    const calls = [policy.execute(work, context), policy.execute(work, context)];
    await after(500);
    expect(attempts).toHaveLength(3);
    expect(budget.getStatus()).toMatchObject({ granted: { hedge: 1 }, refused: { hedge: 1 } });
    for (const { succeed } of attempts) succeed('done');
    await Promise.all(calls);
  });

  it('does not hedge a call that is not idempotent, or that is over before', async () => {
    const policy = create();
    const once = policy.execute(work, { ...context, idempotent: false });
    const short = policy.execute(work, { ...context, deadline: Deadline.after(100) });
    await after(500);
    expect(attempts).toHaveLength(2);
    at(0).succeed('once');
    at(1).succeed('short');
    expect(await Promise.all([once, short])).toEqual(['once', 'short']);
  });

  it('hedges after the observed 95th percentile, once it has observed enough', async () => {
    const policy = create({ delayMs: undefined });
    for (let ms = 1; ms <= 19; ms += 1) {
      const call = policy.execute(taking(ms * 10), context);
      await after(ms * 10);
      await call;
    }
    expect(policy.getStatus().delayMs).toBeUndefined();
    const call = policy.execute(taking(200), context);
    await after(200);
    await call;
    expect(policy.getStatus().delayMs).toBe(190);
    const start = performance.now();
    const hedged = policy.execute(work, context);
    await after(190);
    expect(attempts.map(({ atMs }) => atMs - start)).toEqual([0, 190]);
    at(1).succeed('second');
    await hedged;
  });

  it('forgets what is long past', async () => {
    const policy = create({ delayMs: undefined });
    const observe = async (ms: number, times: number) => {
      for (let n = 0; n < times; n += 1) {
        const call = policy.execute(taking(ms), context);
        await after(ms);
        await call;
      }
    };
    await observe(500, 100);
    await observe(10, 256);
    expect(policy.getStatus().delayMs).toBe(10);
    await jest.runAllTimersAsync();
  });

  it('does not learn from failures', async () => {
    const policy = create({ delayMs: undefined });
    for (let n = 0; n < 50; n += 1)
      await policy.execute(() => Promise.reject(new Error('fault')), context).catch(() => undefined);
    expect(policy.getStatus().delayMs).toBeUndefined();
  });

  it('cuts the tail of slow attempts for few extra ones, and does not talk itself into more', async () => {
    const metrics = new Metrics();
    const shown = new RetryMetrics(metrics).of('docs');
    const budget = new RetryBudget({ metrics: shown.budget });
    const policy = create({ delayMs: undefined, budget, metrics: shown });
    let made = 0;
    // Every 25th attempt takes 2 s, the others 10 to 58 ms.
    const host = () => taking((made += 1) % 25 === 0 ? 2000 : 10 + (made % 49))();
    const tookMs: number[] = [];
    for (let n = 0; n < 3000; n += 1) {
      const start = performance.now();
      const call = budget.execute((given) => policy.execute(host, given), context);
      void call.then(() => tookMs.push(performance.now() - start));
      await jest.advanceTimersToNextTimerAsync();
      while (tookMs.length <= n) await jest.advanceTimersToNextTimerAsync();
    }
    await jest.runAllTimersAsync();
    const slow = tookMs.slice(300).filter((ms) => ms > 200).length;
    expect(slow).toBeLessThan(10);
    expect((made - 3000) / 3000).toBeGreaterThan(0.03);
    expect((made - 3000) / 3000).toBeLessThan(0.08);
    const { won, lost } = policy.getStatus().outcomes;
    expect(won + lost).toBe(made - 3000);
    expect(await metrics.render()).toContain(`morgan_retry_hedges_total{client="docs",outcome="won"} ${won}`);
  });
});
