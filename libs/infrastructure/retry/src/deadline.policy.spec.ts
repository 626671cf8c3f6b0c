import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type CallContext, compose, Deadline } from '@morgan/foundation';
import { DeadlineScope } from './deadline-scope.ts';
import { DeadlinePolicy } from './deadline.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import { RetryPolicy } from './retry.policy.ts';

/** Work that ends when its signal aborts, and only then. */
const untilAborted = ({ signal }: CallContext) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the transport was aborted')));
  });
const never = () => new Promise<never>(() => undefined);

describe('a deadline policy', () => {
  let controller: AbortController;
  let context: CallContext;
  const policy = new DeadlinePolicy({ timeoutMs: 1000 });

  beforeEach(() => {
    jest.useFakeTimers();
    controller = new AbortController();
    context = { id: 'call', signal: controller.signal };
  });

  afterEach(() => {
    const timersLeft = jest.getTimerCount();
    jest.useRealTimers();
    expect(timersLeft).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  const settled = async (work: Promise<unknown>, afterMs: number) => {
    const outcome = work.then(
      (value) => ({ value, atMs: performance.now() }),
      (error: unknown) => ({ error, atMs: performance.now() }),
    );
    await jest.advanceTimersByTimeAsync(afterMs);
    return outcome;
  };

  it('passes a result on and leaves nothing behind', async () => {
    const work = jest.fn(({ deadline }: CallContext) => Promise.resolve(deadline?.remainingMs()));
    expect(await policy.execute(work, context)).toBe(1000);
  });

  it('passes an error on and leaves nothing behind', async () => {
    const error = new Error('fault');
    await expect(policy.execute(() => Promise.reject(error), context)).rejects.toBe(error);
    const thrower = () => {
      throw error;
    };
    await expect(policy.execute(thrower, context)).rejects.toBe(error);
  });

  it.each([
    ['listens to its signal', untilAborted],
    ['does not', never],
  ])('ends work on the millisecond, when it %s', async (_, work) => {
    const outcome = await settled(policy.execute(work, context), 5000);
    expect(outcome).toMatchObject({ error: { code: 'deadline_exceeded', kind: 'timeout' }, atMs: 1000 });
  });

  it('aborts the signal of the work with the same error', async () => {
    let signal: AbortSignal | undefined;
    const work = (given: CallContext) => untilAborted((signal = given.signal) && given);
    const outcome = await settled(policy.execute(work, context), 1000);
    expect(outcome).toMatchObject({ error: signal?.reason as unknown });
    expect(controller.signal.aborted).toBe(false);
  });

  it("takes the nearer of its own deadline and the call's", async () => {
    const brought = (ms: number) => ({ ...context, deadline: Deadline.after(ms) });
    expect(await settled(policy.execute(never, brought(300)), 5000)).toMatchObject({ atMs: 300 });
    const start = performance.now();
    expect(await settled(policy.execute(never, brought(3000)), 5000)).toMatchObject({ atMs: start + 1000 });
  });

  it("knows only the call's deadline where it has none of its own", async () => {
    const open = new DeadlinePolicy();
    const given = { ...context, deadline: Deadline.after(700) };
    expect(await settled(open.execute(never, given), 5000)).toMatchObject({ atMs: 700 });
    expect(await open.execute((inner) => Promise.resolve(inner), context)).toBe(context);
  });

  it('does not begin work whose deadline has passed or whose caller has gone', async () => {
    const work = jest.fn(never);
    const late = { ...context, deadline: Deadline.after(0) };
    await expect(policy.execute(work, late)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    controller.abort();
    await expect(policy.execute(work, context)).rejects.toMatchObject({ code: 'client_closed_request' });
    expect(work).not.toHaveBeenCalled();
  });

  it("ends at once on the caller's abort, with its reason", async () => {
    const reason = new AppError('queue_full', 'no room');
    const outcome = settled(policy.execute(never, context), 0);
    controller.abort(reason);
    expect(await outcome).toMatchObject({ error: reason, atMs: 0 });
  });

  it("ends at once on the caller's abort where there is no deadline either, and the work does not listen", async () => {
    const outcome = settled(new DeadlinePolicy().execute(never, context), 0);
    controller.abort();
    expect(await outcome).toMatchObject({ error: { code: 'client_closed_request' } });
  });

  it('ends at a deadline that is further away than any timer, and no sooner', async () => {
    const far = new DeadlinePolicy({ timeoutMs: 3e9 });
    expect(await settled(far.execute(never, context), 4e9)).toMatchObject({ atMs: 3e9 });
  });

  it('waits for a deadline that no timer can wait for in one piece', async () => {
    const far = new DeadlinePolicy({ timeoutMs: 1e12 });
    const outcome = far.execute(() => new Promise((resolve) => setTimeout(resolve, 50, 'done')), context);
    await jest.advanceTimersByTimeAsync(50);
    expect(await outcome).toBe('done');
  });

  it('swallows what work says after it was cut off', async () => {
    const late = () => new Promise<never>((_, reject) => setTimeout(reject, 1500, new Error('late')));
    expect(await settled(policy.execute(late, context), 2000)).toMatchObject({ atMs: 1000 });
  });

  it('bounds all attempts and waits of a retry together', async () => {
    const budget = new RetryBudget();
    const retry = new RetryPolicy({ budget, jitter: 'none', baseDelayMs: 300 });
    const slow = ({ signal }: CallContext) => {
      const timeout = AbortSignal.any([signal, abortAfter(400)]);
      return untilAborted({ id: 'attempt', signal: timeout }).catch(() => {
        throw new DOMException('slow', 'TimeoutError');
      });
    };
    const outcome = await settled(compose(policy, budget, retry).execute(slow, context), 5000);
    expect(outcome).toMatchObject({ error: { code: 'deadline_exceeded' }, atMs: 1000 });
    expect(retry.getStatus().attempts).toMatchObject({ timeout: 1, cancelled: 1 });
  });
});

function abortAfter(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

describe('a deadline scope', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('covers a response that goes on after the work has settled, until it is disposed of', async () => {
    const controller = new AbortController();
    const scope = new DeadlineScope({ id: 'call', signal: controller.signal, caller: 'a' }, 1000);
    const body = await scope.run(({ signal, caller }) => Promise.resolve({ signal, caller }));
    expect(body.caller).toBe('a');
    jest.advanceTimersByTime(999);
    expect(body.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(body.signal.reason).toMatchObject({ code: 'deadline_exceeded' });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it("carries the caller's abort as long as it is open, and not afterwards", () => {
    const controller = new AbortController();
    const context = { id: 'call', signal: controller.signal };
    const [open, closed] = [new DeadlineScope(context, 1000), new DeadlineScope(context, 1000)];
    closed[Symbol.dispose]();
    controller.abort('gone');
    expect([open.context.signal.reason, closed.context.signal.aborted]).toEqual(['gone', false]);
    expect([jest.getTimerCount(), getEventListeners(controller.signal, 'abort')]).toEqual([0, []]);
  });

  it('needs no signal, and can be ended by whoever made it', async () => {
    const scope = new DeadlineScope({ id: 'call' });
    const outcome = scope.run(untilAborted);
    scope.abort(new AppError('no_host_available', 'stopping'));
    await expect(outcome).rejects.toMatchObject({ code: 'no_host_available' });
    expect(scope.context.signal.aborted).toBe(true);
    scope.restartClock(Deadline.after(1000));
    expect(jest.getTimerCount()).toBe(0);
  });

  it("has a clock that can be set anew: to none, the caller's abort still counts", () => {
    const controller = new AbortController();
    const [open, late] = [1000, 1000].map(
      (ms) => new DeadlineScope({ id: 'call', signal: controller.signal }, ms),
    ) as [DeadlineScope, DeadlineScope];
    open.restartClock();
    late.restartClock(Deadline.after(1500));
    jest.advanceTimersByTime(1499);
    expect([open.context.signal.aborted, late.context.signal.aborted]).toEqual([false, false]);
    jest.advanceTimersByTime(1);
    expect([open.context.signal.aborted, late.context.signal.aborted]).toEqual([false, true]);
    controller.abort('gone');
    expect(open.context.signal.reason).toBe('gone');
    expect([jest.getTimerCount(), getEventListeners(controller.signal, 'abort')]).toEqual([0, []]);
  });
});
