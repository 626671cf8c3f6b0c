import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type CallContext, classifyFault, compose, Deadline } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { RetryBudget } from './retry-budget.ts';
import { RetryMetrics } from './retry-metrics.ts';
import {
  type AttemptContext,
  type RepeatableContext,
  RetryPolicy,
  type RetryOptions,
} from './retry.policy.ts';

const answered = (status: number, more: object = {}) =>
  Object.assign(new Error(`status ${status}`), { status, ...more });
const reset = Object.assign(new Error('reset'), { reason: 'reset', beforeResponse: true });
const stale = Object.assign(new Error('stale'), { reason: 'reset', beforeResponse: true, stale: true });
const refused = Object.assign(new Error('refused'), { reason: 'connect_refused', beforeResponse: true });

describe('a retry policy', () => {
  let controller: AbortController;
  let context: CallContext;
  let attempts: { readonly attempt: number; readonly atMs: number }[];

  const create = (options: Partial<RetryOptions> = {}) =>
    new RetryPolicy({ budget: new RetryBudget(), jitter: 'none', ...options });
  /** Fails as the list says, attempt by attempt, then succeeds. */
  const failing =
    (...errors: readonly Error[]) =>
    ({ attempt }: AttemptContext): Promise<string> => {
      attempts.push({ attempt, atMs: performance.now() });
      const error = errors[attempt - 1];
      return error ? Promise.reject(error) : Promise.resolve('done');
    };
  /** Runs to the end, however long that takes. */
  const run = async (
    policy: RetryPolicy,
    work: ReturnType<typeof failing>,
    given: RepeatableContext = context,
  ) => {
    const result = policy.execute(work, given).catch((error: unknown) => ({ error }));
    await jest.runAllTimersAsync();
    return result;
  };
  const times = () => attempts.map(({ atMs }) => atMs);

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

  it('does nothing to work that succeeds but say which attempt it is', async () => {
    const work = jest.fn((given: AttemptContext) => Promise.resolve(given));
    const caller = { ...context, caller: 'a' };
    const policy = create();
    expect(await policy.execute(work, caller)).toEqual({ ...caller, attempt: 1 });
    expect(work).toHaveBeenCalledTimes(1);
    expect(policy.getStatus()).toMatchObject({ calls: 1, recovered: 0, attempts: { ok: 1 } });
  });

  it('hands on the signal and the deadline of a context that has them as accessors', async () => {
    const deadline = Deadline.after(60_000);
    const given = Object.create(null, {
      id: { value: 'call', enumerable: true },
      signal: { get: () => controller.signal },
      deadline: { get: () => deadline },
    }) as RepeatableContext;
    const work = (attempt: AttemptContext) => Promise.resolve([attempt.signal, attempt.deadline]);
    expect(await create().execute(work, given)).toEqual([controller.signal, deadline]);
  });

  it('waits 1, 2 and 4 seconds, then gives the last error as it is', async () => {
    const last = answered(504);
    const policy = create();
    expect(await run(policy, failing(answered(500), answered(502), answered(503), last))).toEqual({
      error: last,
    });
    expect(times()).toEqual([0, 1000, 3000, 7000]);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(policy.getStatus()).toMatchObject({
      calls: 1,
      recovered: 0,
      attempts: { server_error: 4 },
      givenUp: { attempts: 1 },
      budget: { granted: { retry: 3 } },
    });
  });

  it.each([
    ['500', answered(500)],
    ['599', answered(599)],
    ['408', answered(408)],
    ['425', answered(425)],
    ['429', answered(429)],
    ['a reset', reset],
    ['a refused connection', refused],
    ['a timeout', new DOMException('slow', 'TimeoutError')],
    ["a host's AppError", new AppError('host_error', 'fault')],
  ])('repeats after %s', async (_, error) => {
    const policy = create();
    expect(await run(policy, failing(error))).toBe('done');
    expect(policy.getStatus()).toMatchObject({ recovered: 1, attempts: { ok: 1 } });
  });

  it.each([400, 401, 403, 404, 409, 413, 422, 424, 426, 499])('does not repeat after %i', async (status) => {
    const policy = create();
    expect(await run(policy, failing(answered(status)))).toEqual({ error: answered(status) });
    expect(attempts).toHaveLength(1);
    expect(policy.getStatus().givenUp.final).toBe(1);
  });

  it('repeats an unknown fault only when its own classifier says so', async () => {
    expect(await run(create(), failing(new Error('bug')))).toEqual({ error: new Error('bug') });
    const policy = create({ classify: () => classifyFault({ reason: 'connect_refused' }) });
    expect(await run(policy, failing(new Error('bug')))).toBe('done');
  });

  it('repeats work that throws before it returns a promise', async () => {
    let calls = 0;
    const work = (): Promise<number> => {
      calls += 1;
      if (calls === 1) throw reset;
      return Promise.resolve(calls);
    };
    const result = create().execute(work, context);
    await jest.runAllTimersAsync();
    expect(await result).toBe(2);
  });

  it('draws the delay anew for each attempt', async () => {
    const chances = [0.25, 0.75];
    const policy = create({ jitter: 'full', random: () => chances.shift() as number });
    await run(policy, failing(reset, reset));
    expect(times()).toEqual([0, 750, 1250]);
  });

  describe('when the host says how long to wait', () => {
    it('waits exactly that long', async () => {
      const headers = (value: string) => ({ headers: { 'retry-after': value } });
      await run(create(), failing(answered(429, headers('7')), answered(503, headers('0.5'))));
      expect(times()).toEqual([0, 7000, 7500]);
    });

    it('waits no longer than its longest wait without a deadline, the quarter included', async () => {
      const policy = create({ jitter: 'full', random: () => 0.999, maxDelayMs: 10_000 });
      await run(policy, failing(answered(429, { retryAfterMs: 9_000 })));
      expect(times()).toEqual([0, 10_000]);
    });

    it('waits for as long as the longest timer where a host asks for more, and not for none', async () => {
      const longest = 2 ** 31 - 1;
      const given = { ...context, deadline: Deadline.after(1e12) };
      await run(create(), failing(answered(429, { retryAfterMs: longest + 10 })), given);
      expect(times()).toEqual([0, longest]);
    });

    it('adds up to a quarter, so that not all callers come back at once, where the deadline allows it', async () => {
      const create429 = () => failing(answered(429, { retryAfterMs: 8000 }));
      const policy = create({ jitter: 'full', random: () => 0.5 });
      await run(policy, create429());
      await run(policy, create429(), { ...context, deadline: Deadline.after(8500) });
      expect(times()).toEqual([0, 9000, 9000, 17_000]);
    });

    it('goes on backing off where the wait is over already', async () => {
      await run(create(), failing(answered(429, { retryAfterMs: 0 })));
      expect(times()).toEqual([0, 1000]);
    });

    it('fails at once where the deadline does not allow it', async () => {
      const error = answered(429, { retryAfterMs: 5000 });
      const policy = create();
      const given = { ...context, deadline: Deadline.after(5000) };
      await expect(policy.execute(failing(error), given)).rejects.toBe(error);
      expect(policy.getStatus().givenUp.wait).toBe(1);
      expect(policy.getStatus().budget.granted.retry).toBe(0);
    });

    it('waits longer than the longest back-off where the deadline allows it', async () => {
      const given = { ...context, deadline: Deadline.after(200_000) };
      expect(await run(create(), failing(answered(429, { retryAfterMs: 120_000 })), given)).toBe('done');
      expect(times()).toEqual([0, 120_000]);
    });

    it('waits without a deadline as long as the longest back-off', async () => {
      expect(await run(create(), failing(answered(429, { retryAfterMs: 60_000 })))).toBe('done');
      expect(times()).toEqual([0, 60_000]);
    });

    it.each([60_001, 2 ** 31, Infinity])(
      'fails at once without a deadline on %d ms',
      async (retryAfterMs) => {
        const error = answered(429, { retryAfterMs });
        await expect(create().execute(failing(error), context)).rejects.toBe(error);
      },
    );
  });

  it('makes no attempt that would begin after the deadline', async () => {
    const given = { ...context, deadline: Deadline.after(2500) };
    const policy = create();
    expect(await run(policy, failing(reset, reset, reset), given)).toEqual({ error: reset });
    expect(times()).toEqual([0, 1000]);
    expect(performance.now()).toBe(1000);
  });

  it('makes no attempt at all after the deadline', async () => {
    const given = { ...context, deadline: Deadline.after(0) };
    const error = await create()
      .execute(failing(), given)
      .catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code: 'deadline_exceeded', kind: 'timeout', status: 504 });
    expect(attempts).toEqual([]);
  });

  describe('after a stale connection', () => {
    it('repeats at once, and backs off later as if that had not been', async () => {
      const policy = create();
      const work = failing(stale, stale);
      expect(await policy.execute(work, context)).toBe('done');
      expect(times()).toEqual([0, 0, 0]);
      expect(policy.getStatus()).toMatchObject({ recovered: 1, budget: { granted: { retry: 2 } } });
      attempts = [];
      expect(await run(policy, failing(stale, reset, stale))).toBe('done');
      expect(times()).toEqual([0, 0, 1000, 1000]);
    });

    it('makes no more attempts than after any other fault', async () => {
      const policy = create({ maxRetries: 2 });
      await expect(policy.execute(failing(stale, stale, stale), context)).rejects.toBe(stale);
      expect(attempts).toHaveLength(3);
      expect(policy.getStatus().givenUp.attempts).toBe(1);
    });

    it('stays within the budget', async () => {
      const policy = create({ budget: new RetryBudget({ minPerSecond: 0.1 }) });
      await expect(policy.execute(failing(stale, stale), context)).rejects.toBe(stale);
      expect(attempts).toHaveLength(2);
      expect(policy.getStatus().givenUp.budget).toBe(1);
    });

    it('stays within the deadline', async () => {
      const given = { ...context, deadline: Deadline.after(100) };
      const late = () => new Promise<never>((_, reject) => setTimeout(reject, 100, stale));
      const policy = create();
      const result = policy.execute(late, given).catch((error: unknown) => ({ error }));
      await jest.advanceTimersByTimeAsync(1000);
      expect(await result).toEqual({ error: stale });
      expect(policy.getStatus()).toMatchObject({ attempts: { connection: 1 }, givenUp: { wait: 1 } });
    });

    it('does not repeat what was aborted meanwhile', async () => {
      const policy = create();
      const work = jest.fn(() => {
        controller.abort();
        return Promise.reject(stale);
      });
      await expect(policy.execute(work, context)).rejects.toBe(stale);
      expect(work).toHaveBeenCalledTimes(1);
    });

    it('does not repeat what is not idempotent', async () => {
      const policy = create();
      const once = { ...context, idempotent: false };
      await expect(policy.execute(failing(stale), once)).rejects.toBe(stale);
      expect(policy.getStatus().givenUp.unsafe).toBe(1);
      const unsent = Object.assign(new Error('stale'), { code: 'EPIPE', stale: true, sent: false });
      expect(await create().execute(failing(unsent), once)).toBe('done');
    });
  });

  describe('a call that is not idempotent', () => {
    const once = () => ({ ...context, idempotent: false });

    it('is repeated where nothing was sent', async () => {
      expect(await run(create(), failing(refused), once())).toBe('done');
    });

    it.each([
      ['reset', reset],
      ['429', answered(429)],
      ['503', answered(503)],
      ['time limit', new DOMException('slow', 'TimeoutError')],
    ])('is not repeated after a %s', async (_, error) => {
      const policy = create();
      expect(await run(policy, failing(error), once())).toEqual({ error });
      expect(policy.getStatus().givenUp.unsafe).toBe(1);
    });

    it('keeps its mark through other policies', async () => {
      const through = compose(new RetryBudget(), create());
      await expect(through.execute(() => Promise.reject(reset), once())).rejects.toBe(reset);
    });
  });

  describe("on the caller's abort", () => {
    it('settles at once while it backs off', async () => {
      const policy = create();
      let outcome: unknown;
      void policy.execute(failing(reset), context).catch((error: unknown) => (outcome = error));
      await jest.advanceTimersByTimeAsync(500);
      expect([outcome, jest.getTimerCount()]).toEqual([undefined, 1]);
      controller.abort();
      await jest.advanceTimersByTimeAsync(0);
      expect(performance.now()).toBe(500);
      expect(outcome).toMatchObject({
        code: 'client_closed_request',
        cause: controller.signal.reason as unknown,
      });
      expect(policy.getStatus()).toMatchObject({
        givenUp: { aborted: 1 },
        budget: { granted: { retry: 0 } },
      });
    });

    it('ends with the reason of the abort where that says enough', async () => {
      const reason = new AppError('deadline_exceeded', 'late');
      const result = create().execute(failing(reset), context);
      while (jest.getTimerCount() === 0) await Promise.resolve();
      controller.abort(reason);
      await expect(result).rejects.toBe(reason);
    });

    it('does not repeat, whatever the attempt makes of it', async () => {
      const policy = create();
      const work = () => {
        controller.abort();
        return Promise.reject(reset);
      };
      await expect(policy.execute(work, context)).rejects.toBe(reset);
      expect(policy.getStatus()).toMatchObject({ attempts: { cancelled: 1 }, givenUp: { aborted: 1 } });
    });

    it('makes no first attempt after it', async () => {
      controller.abort();
      await expect(create().execute(failing(), context)).rejects.toMatchObject({
        code: 'client_closed_request',
      });
      expect(attempts).toEqual([]);
    });
  });

  describe('without budget', () => {
    it('gives the error at once', async () => {
      const policy = create({ budget: new RetryBudget({ minPerSecond: 0 }) });
      await expect(policy.execute(failing(reset), context)).rejects.toBe(reset);
      expect(policy.getStatus()).toMatchObject({ givenUp: { budget: 1 }, budget: { refused: { retry: 1 } } });
    });

    it('gives the error after the wait when somebody else took the last of it', async () => {
      const budget = new RetryBudget({ minPerSecond: 0.1 });
      const policy = create({ budget });
      const result = run(policy, failing(reset));
      expect(budget.take('hedge')).toBe(true);
      expect(await result).toEqual({ error: reset });
      expect(attempts).toHaveLength(1);
      expect(policy.getStatus().givenUp.budget).toBe(1);
    });
  });

  it('accounts for every call', async () => {
    const metrics = new Metrics();
    const shown = new RetryMetrics(metrics).of('docs');
    const budget = new RetryBudget({ minPerSecond: 0.3, metrics: shown.budget });
    const policy = create({ budget, metrics: shown });
    await run(policy, failing());
    await run(policy, failing(reset));
    await run(policy, failing(answered(404)));
    await run(policy, failing(refused, refused, refused, refused));
    const { calls, attempts: ended, givenUp } = policy.getStatus();
    const lost = Object.values(givenUp).reduce((sum, count) => sum + count);
    expect([calls, ended.ok + lost]).toEqual([4, 4]);
    const text = await metrics.render();
    expect(text).toContain('morgan_retry_attempts_total{client="docs",outcome="ok"} 2');
    expect(text).toContain('morgan_retry_attempts_total{client="docs",outcome="connection"} 4');
    expect(text).toContain('morgan_retry_given_up_total{client="docs",reason="final"} 1');
    expect(text).toContain('morgan_retry_given_up_total{client="docs",reason="budget"} 1');
    expect(text).toContain('morgan_retry_budget_total{client="docs",kind="retry",outcome="granted"} 3');
    expect(text).toContain('morgan_retry_budget_total{client="docs",kind="retry",outcome="refused"} 1');
  });
});
