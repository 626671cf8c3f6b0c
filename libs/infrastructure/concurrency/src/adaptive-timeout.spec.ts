import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import { callThrough, settle } from '../fixture/calls.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';

const config = { quantile: 0.9, factor: 2, floorMs: 100, ceilingMs: 10_000, minSamples: 20 };
const timeoutOf = (more: Partial<typeof config> = {}) =>
  new AdaptiveTimeout({ name: 'host', ...config, ...more });
const learn = (timeout: AdaptiveTimeout, ms: number, times: number) => {
  for (let sample = 0; sample < times; sample += 1) timeout.record(ms);
};

describe('the bound of an adaptive timeout', () => {
  it('is the ceiling until enough is measured', () => {
    const timeout = timeoutOf();
    learn(timeout, 200, 19);
    expect(timeout.boundMs).toBe(10_000);
    learn(timeout, 200, 1);
    expect(timeout.boundMs).toBeGreaterThanOrEqual(400);
    expect(timeout.boundMs).toBeLessThanOrEqual(440);
  });

  it('does not follow a few samples between two of its looks either', () => {
    const timeout = timeoutOf({ minSamples: 50 });
    learn(timeout, 200, 49);
    expect(timeout.boundMs).toBe(10_000);
    learn(timeout, 200, 1);
    expect(timeout.boundMs).toBeLessThan(500);
  });

  it('lies between floor and ceiling', () => {
    const [fast, slow] = [timeoutOf(), timeoutOf()];
    learn(fast, 1, 64);
    learn(slow, 9_000, 64);
    expect([fast.boundMs, slow.boundMs]).toEqual([100, 10_000]);
  });

  it('follows the quantile, not the slowest calls', () => {
    const timeout = timeoutOf();
    for (let sample = 0; sample < 320; sample += 1) timeout.record(sample % 20 === 0 ? 4_000 : 300);
    expect(timeout.boundMs).toBeLessThan(670);
    const { quantileMs, samples } = timeout.getStatus();
    expect(quantileMs).toBeLessThan(331);
    expect(samples).toBe(320);
  });
});

it('an attempt that hangs keeps no process alive', () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const call = callThrough(timeoutOf());
  expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false]);
  call.finish();
  timers.mockRestore();
});

describe('an attempt under an adaptive timeout', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('gives the result and lets go of timer and listener', async () => {
    const call = callThrough(timeoutOf());
    call.finish();
    expect(await call.result).toBe('done');
    expect(jest.getTimerCount()).toBe(0);
    expect(getEventListeners(call.context.signal, 'abort')).toHaveLength(0);
  });

  it('is cut at the bound, whatever the work does, and its signal says why', async () => {
    const timeout = timeoutOf();
    learn(timeout, 200, 20);
    let attempt: AbortSignal | undefined;
    const caller = new AbortController();
    const result = timeout.execute(
      ({ signal }) => {
        attempt = signal;
        return new Promise<never>(() => undefined);
      },
      { id: 'a', signal: caller.signal },
    );
    const outcome = result.catch((error: unknown) => error);
    jest.advanceTimersByTime(timeout.boundMs - 1);
    await settle();
    expect(attempt?.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    const error = await outcome;
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'attempt_timeout', kind: 'timeout', status: 504 });
    expect(attempt?.reason).toBe(error);
    expect(caller.signal.aborted).toBe(false);
    expect(timeout.getStatus()).toMatchObject({ timeouts: 1, samples: 21 });
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  it('says that it timed out even where the work throws its own error at the abort', async () => {
    const timeout = timeoutOf({ ceilingMs: 500 });
    const result = timeout.execute(
      ({ signal }) =>
        new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('socket closed'))),
        ),
      { id: 'a', signal: new AbortController().signal },
    );
    jest.advanceTimersByTime(500);
    await expect(result).rejects.toMatchObject({ code: 'attempt_timeout' });
  });

  it('raises the bound of a host that became slower, up to the ceiling', async () => {
    const timeout = timeoutOf();
    learn(timeout, 200, 64);
    const bounds = [timeout.boundMs];
    for (let attempt = 0; attempt < 2_000; attempt += 1) {
      const call = callThrough(timeout);
      jest.advanceTimersByTime(5_000);
      call.finish();
      await call.result.catch(() => undefined);
      if (timeout.boundMs !== bounds.at(-1)) bounds.push(timeout.boundMs);
    }
    expect(bounds.length).toBeGreaterThan(2);
    expect(bounds.toSorted((left, right) => left - right)).toEqual(bounds);
    expect(timeout.boundMs).toBe(10_000);
    expect(timeout.getStatus().timeouts).toBeLessThan(1_000);
  });

  it('passes on the abort of the caller, and counts no latency', async () => {
    const timeout = timeoutOf();
    const call = callThrough(timeout);
    const reason = new Error('gone');
    call.abort(reason);
    await expect(call.result).rejects.toBe(reason);
    expect(timeout.getStatus()).toMatchObject({ samples: 0, timeouts: 0 });
    expect(jest.getTimerCount()).toBe(0);
    await expect(timeout.execute(() => Promise.resolve(), call.context)).rejects.toBe(reason);
  });

  it('work that throws at once, when its caller goes, leaves no rejection that nobody handles', async () => {
    jest.useRealTimers();
    const caller = new AbortController();
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const result = timeoutOf().execute(
      () => {
        caller.abort();
        throw new Error('gave up');
      },
      { id: 'a', signal: caller.signal },
    );
    await expect(result).rejects.toThrow('gave up');
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it.each([NaN, -1])('refuses a latency of %s, of which no bound could be made', (latencyMs) => {
    const timeout = timeoutOf();
    expect(() => timeout.record(latencyMs)).toThrow(RangeError);
    learn(timeout, 200, 32);
    expect(timeout.boundMs).toBe(400);
  });

  it('counts no latency of a call that failed', async () => {
    const timeout = timeoutOf();
    const call = callThrough(timeout);
    call.fail(new Error('refused'));
    await expect(call.result).rejects.toThrow('refused');
    expect(timeout.getStatus().samples).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});
