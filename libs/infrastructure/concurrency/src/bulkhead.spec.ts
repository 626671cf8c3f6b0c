import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, Deadline } from '@morgan/foundation';
import { callThrough, type ContextParts, settle } from '../fixture/calls.ts';
import { Bulkhead, type BulkheadOptions } from './bulkhead.ts';

const bulkheadOf = (maxConcurrent: number, maxQueue: number, more: Partial<BulkheadOptions> = {}) =>
  new Bulkhead({ name: 'host', maxConcurrent, maxQueue, ...more });

const refusalOf = async (result: Promise<unknown>): Promise<AppError> => {
  const error = await result.catch((reason: unknown) => reason);
  if (!(error instanceof AppError)) throw new Error('not refused', { cause: error });
  return error;
};

describe('a bulkhead', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Runs one call of so many milliseconds, so that the bulkhead knows how long calls take. */
  const teach = async (bulkhead: Bulkhead, ms: number) => {
    const call = callThrough(bulkhead);
    jest.advanceTimersByTime(ms);
    call.finish();
    await call.result;
  };

  it('lets calls go on up to its limit and the next one when a slot is free', async () => {
    const bulkhead = bulkheadOf(2, 5);
    const calls = [1, 2, 3].map(() => callThrough(bulkhead));
    await settle();
    expect(calls.map(({ begun }) => begun())).toEqual([true, true, false]);
    expect(bulkhead.getStatus()).toMatchObject({ running: 2, waiting: 1, maxConcurrent: 2, maxQueue: 5 });
    calls[1]?.finish();
    await settle();
    expect(calls[2]?.begun()).toBe(true);
    expect(await calls[1]?.result).toBe('done');
  });

  it('touches no timer and no listener while a slot is free', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const bulkhead = bulkheadOf(1, 1);
    const call = callThrough(bulkhead, { deadline: Deadline.after(1_000) });
    expect(getEventListeners(call.context.signal, 'abort')).toHaveLength(0);
    call.finish();
    await call.result;
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
  });

  it('begins without a promise while a slot is free, which is held until it is given back', async () => {
    const bulkhead = bulkheadOf(1, 1);
    const { signal } = new AbortController();
    const end = bulkhead.begin({ id: 'first', signal });
    if (end instanceof Promise) throw new Error('it has to wait');
    const next = bulkhead.begin({ id: 'next', signal });
    expect(next).toBeInstanceOf(Promise);
    expect(bulkhead.getStatus()).toMatchObject({ running: 1, waiting: 1 });
    end();
    (await next)();
    expect(bulkhead.getStatus()).toMatchObject({ running: 0, waiting: 0 });
  });

  it('holds no slot for a caller that has gone, before or just when it got one', async () => {
    const bulkhead = bulkheadOf(1, 1);
    const [first, next] = [new AbortController(), new AbortController()];
    const end = await bulkhead.begin({ id: 'first', signal: first.signal });
    const begun = bulkhead.begin({ id: 'next', signal: next.signal });
    end();
    expect(bulkhead.running).toBe(1);
    next.abort(new Error('gone'));
    await expect(begun).rejects.toThrow('gone');
    expect(() => bulkhead.begin({ id: 'last', signal: next.signal })).toThrow('gone');
    expect(bulkhead.getStatus()).toMatchObject({ running: 0, waiting: 0 });
  });

  it.each([0, 1])(
    'learns nothing of how long calls take from one that left %d turns after it got its slot',
    async (turns) => {
      const bulkhead = bulkheadOf(1, 1);
      await teach(bulkhead, 100);
      const end = await bulkhead.begin({ id: 'first', signal: new AbortController().signal });
      const next = callThrough(bulkhead);
      jest.advanceTimersByTime(100);
      end();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      next.abort(new Error('gone'));
      expect(next.begun()).toBe(false);
      await expect(next.result).rejects.toThrow('gone');
      expect(bulkhead.getStatus()).toMatchObject({ running: 0, serviceMs: 100 });
    },
  );

  it('refuses what finds no place, and says when there will be one', async () => {
    const bulkhead = bulkheadOf(2, 1);
    await teach(bulkhead, 300);
    const calls = [1, 2, 3].map(() => callThrough(bulkhead));
    const error = await refusalOf(callThrough(bulkhead).result);
    expect(error).toMatchObject({ code: 'bulkhead_full', kind: 'overloaded', status: 503 });
    // One waits and one slot becomes free every 300 / 2 ms.
    expect(error.retryAfterMs).toBe(300);
    expect(calls.map(({ begun }) => begun())).toEqual([true, true, false]);
    expect(bulkhead.getStatus().refused).toEqual({ full: 1, deadline: 0, wait: 0, aborted: 0 });
  });

  it('knows how long calls take from the latest ones, none of which counts for much', async () => {
    const bulkhead = bulkheadOf(1, 0);
    await teach(bulkhead, 100);
    await teach(bulkhead, 200);
    expect(bulkhead.getStatus().serviceMs).toBeCloseTo(110);
  });

  it('counts those that must end first after it has shrunk', async () => {
    const bulkhead = bulkheadOf(3, 0);
    await teach(bulkhead, 100);
    for (let call = 0; call < 3; call += 1) callThrough(bulkhead);
    bulkhead.resize(1);
    expect((await refusalOf(callThrough(bulkhead).result)).retryAfterMs).toBe(300);
  });

  it('says nothing about when before it has seen a call end', async () => {
    const bulkhead = bulkheadOf(1, 0);
    callThrough(bulkhead);
    expect((await refusalOf(callThrough(bulkhead).result)).retryAfterMs).toBeUndefined();
  });

  it('serves those who wait in the order in which they came', async () => {
    const bulkhead = bulkheadOf(1, 9);
    const order: string[] = [];
    const send = (tag: string) =>
      bulkhead.execute(() => Promise.resolve(order.push(tag)), {
        id: tag,
        signal: new AbortController().signal,
      });
    const first = callThrough(bulkhead);
    const rest = ['a', 'b', 'c'].map(send);
    first.finish();
    await Promise.all(rest);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('tells how long a call would wait, without taking a slot', async () => {
    const bulkhead = bulkheadOf(2, 1);
    await teach(bulkhead, 300);
    expect([bulkhead.waitMs(), bulkhead.waitMs(), bulkhead.waitMs()]).toEqual([0, 0, 0]);
    callThrough(bulkhead);
    callThrough(bulkhead);
    expect(bulkhead.waitMs()).toBe(150);
    callThrough(bulkhead);
    expect(bulkhead.waitMs()).toBeUndefined();
  });

  it('lets a waiting caller go, with the reason it gave, and serves the next', async () => {
    const bulkhead = bulkheadOf(1, 5);
    const [running, leaving, next] = [1, 2, 3].map(() => callThrough(bulkhead));
    const reason = new Error('gone');
    leaving?.abort(reason);
    await expect(leaving?.result).rejects.toBe(reason);
    expect(bulkhead.getStatus()).toMatchObject({ waiting: 1, refused: { aborted: 1 } });
    running?.finish();
    await settle();
    expect([leaving?.begun(), next?.begun()]).toEqual([false, true]);
  });

  it('never begins the work of a caller that has gone', async () => {
    const bulkhead = bulkheadOf(1, 5);
    const caller = new AbortController();
    const work = jest.fn(() => Promise.resolve());
    caller.abort(new Error('gone'));
    await expect(bulkhead.execute(work, { id: 'a', signal: caller.signal })).rejects.toThrow('gone');
    const running = callThrough(bulkhead);
    await expect(bulkhead.execute(work, { id: 'a', signal: caller.signal })).rejects.toThrow('gone');
    const late = callThrough(bulkhead);
    // The slot is its own already, but its work has not begun.
    running.finish();
    await running.result;
    late.abort(new Error('gone'));
    await settle();
    expect(work).not.toHaveBeenCalled();
    late.finish();
    await settle();
    expect(bulkhead.getStatus()).toMatchObject({ running: 0, waiting: 0 });
  });

  it('refuses a waiting call at its deadline', async () => {
    const bulkhead = bulkheadOf(1, 5);
    callThrough(bulkhead);
    const hurried = callThrough(bulkhead, { deadline: Deadline.after(50) });
    jest.advanceTimersByTime(49);
    await settle();
    expect(bulkhead.getStatus().waiting).toBe(1);
    jest.advanceTimersByTime(1);
    expect(await refusalOf(hurried.result)).toMatchObject({ code: 'bulkhead_full' });
    expect(bulkhead.getStatus()).toMatchObject({ waiting: 0, refused: { deadline: 1 } });
  });

  it('refuses a call that may not wait, or not so long', async () => {
    const bulkhead = bulkheadOf(1, 5);
    const { signal } = new AbortController();
    const end = await bulkhead.begin({ id: 'first', signal, maxWaitMs: 0 });
    const refusals = [0, 50].map((maxWaitMs) =>
      refusalOf(Promise.resolve(bulkhead.begin({ id: 'next', signal, maxWaitMs }))),
    );
    await settle();
    expect(bulkhead.getStatus()).toMatchObject({ waiting: 1, refused: { wait: 1 } });
    jest.advanceTimersByTime(50);
    expect((await Promise.all(refusals)).map(({ code }) => code)).toEqual(['bulkhead_full', 'bulkhead_full']);
    expect(bulkhead.getStatus()).toMatchObject({ running: 1, waiting: 0, refused: { wait: 2, deadline: 0 } });
    end();
  });

  it('refuses at once what cannot make its deadline', async () => {
    const bulkhead = bulkheadOf(1, 5);
    await teach(bulkhead, 100);
    const inQueue = [1, 2].map(() => callThrough(bulkhead));
    const [tooSoon, inTime]: ContextParts[] = [
      { deadline: Deadline.after(200) },
      { deadline: Deadline.after(201) },
    ];
    expect((await refusalOf(callThrough(bulkhead, tooSoon).result)).code).toBe('bulkhead_full');
    callThrough(bulkhead, inTime);
    expect(bulkhead.getStatus()).toMatchObject({ waiting: 2, refused: { deadline: 1 } });
    expect(inQueue).toHaveLength(2);
  });

  it('passes over a call whose deadline passed while the event loop was busy', async () => {
    const bulkhead = bulkheadOf(1, 5);
    const running = callThrough(bulkhead);
    let overdue = false;
    const deadline = Deadline.after(50);
    Object.defineProperty(deadline, 'passed', { get: () => overdue });
    const late = callThrough(bulkhead, { deadline });
    const next = callThrough(bulkhead);
    overdue = true;
    running.finish();
    expect((await refusalOf(late.result)).code).toBe('bulkhead_full');
    await settle();
    expect([late.begun(), next.begun()]).toEqual([false, true]);
  });

  it.each([
    [50, 80, 'deadline'],
    [80, 50, 'wait'],
  ])(
    'says what ended a wait, of a deadline in %d ms and a longest wait of %d ms: %s',
    async (deadline, wait, why) => {
      const bulkhead = bulkheadOf(1, 5);
      callThrough(bulkhead);
      const { signal } = new AbortController();
      const request = { id: 'b', signal, deadline: Deadline.after(deadline), maxWaitMs: wait };
      const refused = refusalOf(Promise.resolve(bulkhead.begin(request)));
      jest.advanceTimersByTime(50);
      await refused;
      expect(bulkhead.getStatus().refused).toMatchObject({ deadline: 0, wait: 0, [why]: 1 });
    },
  );

  it('waits for a far deadline without the overflow of timers', async () => {
    const bulkhead = bulkheadOf(1, 5);
    callThrough(bulkhead);
    callThrough(bulkhead, { deadline: Deadline.after(2 ** 40) });
    jest.advanceTimersByTime(1_000_000);
    await settle();
    expect(bulkhead.getStatus().waiting).toBe(1);
  });

  it('gives the slot back when the work throws, at once or later', async () => {
    const bulkhead = bulkheadOf(1, 0);
    const fault = new Error('fault');
    const throwing = () => {
      throw fault;
    };
    const { signal } = new AbortController();
    await expect(bulkhead.execute(throwing, { id: 'a', signal })).rejects.toBe(fault);
    const call = callThrough(bulkhead);
    call.fail(fault);
    await expect(call.result).rejects.toBe(fault);
    expect(bulkhead.getStatus().running).toBe(0);
  });

  it('grows and shrinks without stopping anybody', async () => {
    const bulkhead = bulkheadOf(1, 9);
    const calls = [1, 2, 3, 4].map(() => callThrough(bulkhead));
    bulkhead.resize(3);
    await settle();
    expect(calls.map(({ begun }) => begun())).toEqual([true, true, true, false]);
    bulkhead.resize(1);
    calls[0]?.finish();
    calls[1]?.finish();
    await settle();
    expect([bulkhead.running, calls[3]?.begun()]).toEqual([1, false]);
    calls[2]?.finish();
    await settle();
    expect(calls[3]?.begun()).toBe(true);
  });

  it('leaves no timer and no listener behind', async () => {
    const bulkhead = bulkheadOf(1, 9);
    const calls = [1, 2, 3, 4].map(() => callThrough(bulkhead, { deadline: Deadline.after(100) }));
    expect(jest.getTimerCount()).toBe(3);
    calls[1]?.abort();
    calls[0]?.finish();
    await settle();
    jest.advanceTimersByTime(100);
    calls[2]?.finish();
    await settle();
    expect(jest.getTimerCount()).toBe(0);
    for (const { context } of calls) expect(getEventListeners(context.signal, 'abort')).toHaveLength(0);
    expect(bulkhead.getStatus()).toMatchObject({ running: 0, waiting: 0 });
  });
});

it.each([NaN, 0, -1, 1.5, Infinity])('is not resized to %s', (size) => {
  const bulkhead = new Bulkhead({ name: 'host', maxConcurrent: 2 });
  expect(() => bulkhead.resize(size)).toThrow();
  expect(bulkhead.getStatus().maxConcurrent).toBe(2);
});

it('refuses a wait that is no number, which would have no end', () => {
  const bulkhead = bulkheadOf(1, 1);
  const { signal } = new AbortController();
  expect(() => bulkhead.begin({ id: 'call', signal, maxWaitMs: NaN })).toThrow(RangeError);
  expect(bulkhead.getStatus()).toMatchObject({ running: 0, waiting: 0 });
});
