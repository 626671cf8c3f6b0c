import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AppError, type CallContext, Deadline, silentLogger } from '@morgan/foundation';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerSettings } from './circuit-breaker.config.ts';
import type { StateChange } from './circuit-status.ts';

const context: CallContext = { id: 'call', signal: new AbortController().signal };
const good = () => Promise.resolve('answer');
const bad = () => Promise.reject(new Error('reset'));

function create(config: CircuitBreakerSettings = {}) {
  const breaker = new CircuitBreaker({ name: 'host', resetJitter: 0, ...config });
  const changes: StateChange[] = [];
  breaker.onChange((change) => changes.push(change));
  return { breaker, changes };
}

/** A call that ends when told so. */
function pending(breaker: CircuitBreaker, given: CallContext = context) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => undefined);
  let started = false;
  const outcome = breaker
    .execute(() => {
      started = true;
      return promise;
    }, given)
    .then(
      () => 'ok',
      (error: AppError) => error.code ?? 'failed',
    );
  return {
    started: () => started,
    succeed: () => (resolve('late'), outcome),
    fail: () => (reject(new Error('reset')), outcome),
    outcome,
  };
}

async function fail(breaker: CircuitBreaker, times: number): Promise<void> {
  for (let call = 0; call < times; call += 1) await breaker.execute(bad, context).catch(() => undefined);
}

async function refusal(breaker: CircuitBreaker): Promise<AppError> {
  const work = jest.fn(good);
  const error = await breaker.execute(work, context).then(
    () => undefined,
    (reason: AppError) => reason,
  );
  expect(work).not.toHaveBeenCalled();
  expect(error).toMatchObject({ code: 'circuit_open', kind: 'unavailable', status: 503 });
  return error as AppError;
}

beforeEach(() => {
  jest.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a closed breaker', () => {
  it('opens with the fifth failure in a row, not before', async () => {
    const { breaker } = create();
    await fail(breaker, 4);
    await breaker.execute(good, context);
    await fail(breaker, 4);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });

  it('passes result, error and context on', async () => {
    const { breaker } = create();
    const error = new Error('reset');
    expect(await breaker.execute((given) => Promise.resolve(given), context)).toBe(context);
    await expect(breaker.execute(() => Promise.reject(error), context)).rejects.toBe(error);
    const thrown = new Error('at once');
    const work = () => {
      throw thrown;
    };
    await expect(breaker.execute(work, context)).rejects.toBe(thrown);
    expect(breaker.getStatus().totals).toMatchObject({ success: 1, failure: 2 });
  });

  it('counts slow answers as failures when told so, and says so', async () => {
    const { breaker } = create({ slowCallMs: 1_000, failureThreshold: 2 });
    const after = (ms: number) => () => Promise.resolve(jest.advanceTimersByTime(ms));
    await breaker.execute(after(999), context);
    await breaker.execute(after(1_000), context);
    expect(breaker.state).toBe('CLOSED');
    await breaker.execute(after(1_000), context);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', totals: { success: 1, slow: 2, failure: 0 } });
  });

  it('takes a slow call for slow only where it succeeded', async () => {
    const { breaker } = create({ slowCallMs: 1_000, failureThreshold: 2 });
    const caller = new AbortController();
    const left = pending(breaker, { ...context, signal: caller.signal });
    const failed = pending(breaker);
    jest.advanceTimersByTime(5_000);
    caller.abort();
    await Promise.all([left.fail(), failed.fail()]);
    expect(breaker.getStatus()).toMatchObject({
      state: 'CLOSED',
      totals: { slow: 0, ignored: 1, failure: 1 },
    });
  });

  it('opens on the failure rate of the last calls, from the minimum volume on', async () => {
    const { breaker } = create({
      failureRate: { threshold: 0.5, window: 'count', windowCalls: 10, minimumCalls: 6 },
    });
    await fail(breaker, 5);
    expect(breaker.state).toBe('CLOSED');
    await breaker.execute(good, context);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', lastChange: { reason: 'failure_rate' } });
  });

  it('opens when the share of failures is just the threshold', async () => {
    const { breaker } = create({ failureRate: { threshold: 0.5, window: 'count', minimumCalls: 6 } });
    for (let call = 0; call < 3; call += 1) await breaker.execute(good, context);
    await fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });

  it('opens on the failure rate of the last seconds, and forgets older calls', async () => {
    const { breaker } = create({
      windowMs: 10_000,
      failureRate: { threshold: 0.5, window: 'time', minimumCalls: 6 },
    });
    await fail(breaker, 5);
    jest.advanceTimersByTime(10_000);
    await fail(breaker, 5);
    expect(breaker.state).toBe('CLOSED');
    jest.advanceTimersByTime(8_000);
    await fail(breaker, 1);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', lastChange: { reason: 'failure_rate' } });
  });

  it("is not moved by the caller's own abort, which breaks no row either", async () => {
    const { breaker } = create({ failureThreshold: 2 });
    const caller = new AbortController();
    caller.abort();
    await fail(breaker, 1);
    for (let call = 0; call < 10; call += 1) {
      await breaker.execute(bad, { id: 'gone', signal: caller.signal }).catch(() => undefined);
    }
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', totals: { failure: 1, ignored: 10 } });
    await fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
  });

  it('counts a failed call once that began before the trip, and is not opened again by it', async () => {
    const { breaker, changes } = create({ failureThreshold: 2 });
    const before = [pending(breaker), pending(breaker), pending(breaker)] as const;
    await fail(breaker, 2);
    for (const call of before) await call.fail();
    expect(changes.map(({ to }) => to)).toEqual(['OPEN']);
    expect(breaker.getStatus()).toMatchObject({ trips: 1, totals: { failure: 5 } });
  });
});

describe('an open breaker', () => {
  it('refuses at once and says when the next trial is due', async () => {
    const { breaker } = create();
    await fail(breaker, 5);
    expect((await refusal(breaker)).retryAfterMs).toBe(60_000);
    jest.advanceTimersByTime(59_999);
    expect((await refusal(breaker)).retryAfterMs).toBe(1);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', retryAfterMs: 1, held: false });
    jest.advanceTimersByTime(1);
    await breaker.execute(good, context);
    expect(breaker.state).toBe('HALF_OPEN');
  });

  it('is not closed by the late success of a call that began before the trip', async () => {
    const { breaker } = create({ successThreshold: 1 });
    const [first, second] = [pending(breaker), pending(breaker)];
    await fail(breaker, 5);
    await first.succeed();
    expect(breaker.state).toBe('OPEN');
    jest.advanceTimersByTime(60_000);
    const trial = pending(breaker);
    expect(breaker.state).toBe('HALF_OPEN');
    await second.succeed();
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', successes: 0, trialsInFlight: 1 });
    await trial.succeed();
    expect(breaker.state).toBe('CLOSED');
  });

  it('rounds the time to the next trial up, and says 0 once it may go', async () => {
    const { breaker } = create({ resetTimeoutMs: 1_001, resetJitter: 0.1 });
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await fail(breaker, 5);
    random.mockRestore();
    expect((await refusal(breaker)).retryAfterMs).toBe(951);
    expect(breaker.getStatus()).toMatchObject({ retryAfterMs: 951, forMs: 0 });
    jest.advanceTimersByTime(2_000);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', retryAfterMs: 0, forMs: 2_000 });
  });

  it('opens for the first, shortest wait again after it was closed for as long as the wait before', async () => {
    const { breaker } = create({ successThreshold: 1 });
    const openFor = async () => {
      await fail(breaker, 5);
      const { retryAfterMs = 0 } = await refusal(breaker);
      jest.advanceTimersByTime(retryAfterMs);
      await breaker.execute(good, context);
      return retryAfterMs;
    };
    const waits = [await openFor()];
    jest.advanceTimersByTime(59_999);
    waits.push(await openFor());
    jest.advanceTimersByTime(120_000);
    waits.push(await openFor());
    expect(waits).toEqual([60_000, 120_000, 60_000]);
  });

  it('has no timer', async () => {
    const { breaker } = create({ predictive: {}, failureRate: { window: 'time', minimumCalls: 1 } });
    await fail(breaker, 1);
    expect(breaker.state).toBe('OPEN');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no listener on the signal of the call', async () => {
    const { signal } = new AbortController();
    const listen = jest.spyOn(signal, 'addEventListener');
    const { breaker } = create({ failureThreshold: 1 });
    await breaker.execute(bad, { id: 'call', signal }).catch(() => undefined);
    await breaker.execute(good, { id: 'call', signal }).catch(() => undefined);
    expect(listen).not.toHaveBeenCalled();
  });
});

describe('a half-open breaker', () => {
  async function halfOpen(config: CircuitBreakerSettings = {}) {
    const made = create(config);
    await fail(made.breaker, 5);
    jest.advanceTimersByTime(60_000);
    return made;
  }

  it('closes after two good trials, one at a time', async () => {
    const { breaker } = await halfOpen();
    const trial = pending(breaker);
    const others = [pending(breaker), pending(breaker)];
    expect(trial.started()).toBe(true);
    expect(others.some(({ started }) => started())).toBe(false);
    for (const { outcome } of others) expect(await outcome).toBe('circuit_open');
    await trial.succeed();
    expect(breaker.state).toBe('HALF_OPEN');
    await breaker.execute(good, context);
    expect(breaker.state).toBe('CLOSED');
  });

  it('lets as many trials through as permitted, and knows no time to wait for the rest', async () => {
    const { breaker } = await halfOpen({ halfOpenTrials: 3, successThreshold: 3 });
    const trials = [pending(breaker), pending(breaker), pending(breaker)];
    expect((await refusal(breaker)).retryAfterMs).toBeUndefined();
    jest.advanceTimersByTime(5);
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', trialsInFlight: 3, forMs: 5 });
    for (const trial of trials) expect(await trial.succeed()).toBe('ok');
    expect(breaker.state).toBe('CLOSED');
  });

  it('opens again with the first bad trial, for twice as long', async () => {
    const { breaker } = await halfOpen();
    await breaker.execute(good, context);
    await fail(breaker, 1);
    expect((await refusal(breaker)).retryAfterMs).toBe(120_000);
  });

  it('takes a slow trial for a bad one', async () => {
    const { breaker } = await halfOpen({ slowCallMs: 500 });
    await breaker.execute(() => Promise.resolve(jest.advanceTimersByTime(500)), context);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', lastChange: { reason: 'trial_failed' } });
  });

  it('leaves though its trial never ends, and takes no notice when that ends after all', async () => {
    const { breaker } = await halfOpen({ trialTimeoutMs: 30_000 });
    const stuck = pending(breaker);
    jest.advanceTimersByTime(29_999);
    await refusal(breaker);
    expect(breaker.state).toBe('HALF_OPEN');
    jest.advanceTimersByTime(1);
    expect((await refusal(breaker)).retryAfterMs).toBe(120_000);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', lastChange: { reason: 'trial_overdue' } });
    jest.advanceTimersByTime(120_000);
    const second = pending(breaker);
    await stuck.fail();
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', trialsInFlight: 1 });
    await second.succeed();
    await breaker.execute(good, context);
    expect(breaker.state).toBe('CLOSED');
  });

  it('leaves though its trial never ends and all callers ask first', async () => {
    const { breaker } = await halfOpen({ trialTimeoutMs: 30_000 });
    expect(breaker.allows()).toBe(true);
    pending(breaker);
    expect(breaker.allows()).toBe(false);
    jest.advanceTimersByTime(30_000);
    expect([breaker.allows(), breaker.state]).toEqual([false, 'OPEN']);
    jest.advanceTimersByTime(120_000);
    expect(breaker.allows()).toBe(true);
  });

  it('lets no other trial through once one is overdue, though there is room, and opens once', async () => {
    const { breaker, changes } = await halfOpen({ halfOpenTrials: 3, trialTimeoutMs: 1_000 });
    pending(breaker);
    pending(breaker);
    jest.advanceTimersByTime(1_000);
    expect((await refusal(breaker)).retryAfterMs).toBe(120_000);
    expect(changes.map(({ to }) => to)).toEqual(['OPEN', 'HALF_OPEN', 'OPEN']);
  });

  it('lets one more trial through for each that stays undecided, ever later, and the first that ends decides', async () => {
    const { breaker } = await halfOpen({ trialSlotMs: 1_000, trialTimeoutMs: 600_000, successThreshold: 1 });
    const first = pending(breaker);
    const begun = async (afterMs: number) => {
      jest.advanceTimersByTime(afterMs - 1);
      await refusal(breaker);
      expect(breaker.allows()).toBe(false);
      jest.advanceTimersByTime(1);
      expect(breaker.allows()).toBe(true);
      return pending(breaker);
    };
    const second = await begun(1_000);
    const third = await begun(2_000);
    await begun(4_000);
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', trialsInFlight: 4 });
    await third.succeed();
    expect(breaker.state).toBe('CLOSED');
    for (const late of [first, second]) await late.fail();
    expect(breaker.state).toBe('CLOSED');
  });

  it('waits for a trial as long as the deadline of its call', async () => {
    const { breaker } = await halfOpen({ trialTimeoutMs: 10 });
    pending(breaker, { ...context, deadline: Deadline.after(5_000) });
    jest.advanceTimersByTime(4_999);
    await refusal(breaker);
    expect(breaker.state).toBe('HALF_OPEN');
    jest.advanceTimersByTime(1);
    await refusal(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  it('gives the place of a trial whose caller went away to the next call', async () => {
    const { breaker } = await halfOpen();
    const caller = new AbortController();
    const trial = pending(breaker, { id: 'gone', signal: caller.signal });
    caller.abort();
    await trial.fail();
    expect(breaker.getStatus()).toMatchObject({ state: 'HALF_OPEN', trialsInFlight: 0, successes: 0 });
    await breaker.execute(good, context);
    await breaker.execute(good, context);
    expect(breaker.state).toBe('CLOSED');
  });

  it('closes when the host answers its trials with 404', async () => {
    const { breaker } = await halfOpen();
    const notFound = () => Promise.reject(Object.assign(new Error('no such model'), { status: 404 }));
    for (let call = 0; call < 2; call += 1) await breaker.execute(notFound, context).catch(() => undefined);
    expect(breaker.state).toBe('CLOSED');
  });

  it('does not hold old failures against a host that came back', async () => {
    const { breaker } = await halfOpen({
      windowMs: 3_600_000,
      failureRate: { threshold: 0.5, window: 'time', minimumCalls: 5 },
    });
    await breaker.execute(good, context);
    await breaker.execute(good, context);
    await fail(breaker, 4);
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.getStatus().counts).toEqual({ success: 2, failure: 9, slow: 0, rejected: 0 });
  });
});

describe('by hand', () => {
  it('is held open until it is reset', async () => {
    const { breaker } = create();
    breaker.forceOpen();
    jest.advanceTimersByTime(86_400_000);
    expect((await refusal(breaker)).retryAfterMs).toBeUndefined();
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', held: true, retryAfterMs: undefined });
    expect(breaker.getStatus().lastChange).not.toHaveProperty('openMs');
    breaker.reset();
    expect(await breaker.execute(good, context)).toBe('answer');
  });

  it('is held closed until it is reset', async () => {
    const { breaker } = create();
    breaker.forceClose();
    await fail(breaker, 50);
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', held: true, counts: { failure: 50 } });
    breaker.reset();
    await fail(breaker, 5);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', trips: 1 });
  });

  it('is reset to the first, shortest wait', async () => {
    const { breaker } = create();
    await fail(breaker, 5);
    jest.advanceTimersByTime(60_000);
    await fail(breaker, 1);
    breaker.reset();
    expect(breaker.getStatus()).toMatchObject({ state: 'CLOSED', held: false, trips: 0 });
    await fail(breaker, 5);
    expect((await refusal(breaker)).retryAfterMs).toBe(60_000);
  });
});

describe('changes of state', () => {
  it('are told with reason, time and counts', async () => {
    const { breaker, changes } = create();
    await breaker.execute(good, context);
    await fail(breaker, 5);
    await refusal(breaker);
    jest.advanceTimersByTime(60_000);
    await breaker.execute(good, context);
    await breaker.execute(good, context);
    expect(changes).toEqual([
      {
        breaker: 'host',
        from: 'CLOSED',
        to: 'OPEN',
        reason: 'consecutive_failures',
        at: 1_700_000_000_000,
        counts: { success: 1, failure: 5, slow: 0, rejected: 0 },
        openMs: 60_000,
      },
      {
        breaker: 'host',
        from: 'OPEN',
        to: 'HALF_OPEN',
        reason: 'reset_timeout_over',
        at: 1_700_000_060_000,
        counts: { success: 0, failure: 0, slow: 0, rejected: 0 },
      },
      {
        breaker: 'host',
        from: 'HALF_OPEN',
        to: 'CLOSED',
        reason: 'trials_succeeded',
        at: 1_700_000_060_000,
        counts: { success: 2, failure: 0, slow: 0, rejected: 0 },
      },
    ]);
    expect(breaker.getStatus().lastChange).toBe(changes[2]);
  });

  it('are told to nobody who has left', async () => {
    const { breaker } = create();
    const listener = jest.fn();
    breaker.onChange(listener)();
    breaker.forceOpen();
    await refusal(breaker);
    expect(listener).not.toHaveBeenCalled();
  });

  it('reach everybody and harm neither the call nor the process, though a listener throws', async () => {
    const lines: unknown[] = [];
    const logger = { ...silentLogger, error: (fields: object) => void lines.push(fields) };
    const breaker = new CircuitBreaker({ name: 'host', failureThreshold: 1, logger });
    const error = new Error('listener');
    breaker.onChange(() => {
      throw error;
    });
    const second = jest.fn();
    breaker.onChange(second);
    await expect(breaker.execute(bad, context)).rejects.toThrow('reset');
    expect(second).toHaveBeenCalledTimes(1);
    expect(() => jest.runAllTicks()).not.toThrow();
    expect(lines).toEqual([{ error }]);
  });

  it('may be answered by a change: a listener that forces it open stops the trial', async () => {
    const { breaker } = create();
    await fail(breaker, 5);
    breaker.onChange(({ to }) => to === 'HALF_OPEN' && breaker.forceOpen());
    jest.advanceTimersByTime(60_000);
    await refusal(breaker);
    expect(breaker.getStatus()).toMatchObject({ state: 'OPEN', held: true });
  });
});
