import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type LeaveReason, Waiter } from './waiter.ts';

describe('a waiter', () => {
  let caller: AbortController;
  let left: LeaveReason[];

  beforeEach(() => {
    jest.useFakeTimers();
    caller = new AbortController();
    left = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const create = () => new Waiter<string>(caller.signal, (_, why) => void left.push(why));
  /** What it still holds: timers and listeners. */
  const held = () => [jest.getTimerCount(), getEventListeners(caller.signal, 'abort').length];

  it('gets its turn, and after that neither its signal nor its time matters', async () => {
    const waiter = create();
    waiter.limit(100);
    expect([waiter.isSettled, held()]).toEqual([false, [1, 1]]);
    waiter.admit('turn');
    expect(await waiter.turn).toBe('turn');
    expect([waiter.isSettled, held()]).toEqual([true, [0, 0]]);
    caller.abort();
    expect(left).toEqual([]);
  });

  it('is refused, and then holds nothing either', async () => {
    const waiter = create();
    waiter.limit(100);
    waiter.refuse(new Error('full'));
    await expect(waiter.turn).rejects.toThrow('full');
    expect([waiter.isSettled, held()]).toEqual([true, [0, 0]]);
  });

  it('says that its caller has cancelled', () => {
    create();
    caller.abort();
    expect(left).toEqual(['aborted']);
  });

  it('says that its time is over, which may begin anew', () => {
    const waiter = create();
    waiter.limit(100);
    jest.advanceTimersByTime(99);
    waiter.limit(100);
    jest.advanceTimersByTime(99);
    expect(left).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(left).toEqual(['timeout']);
  });

  it('may wait for longer than a timer can', () => {
    create().limit(1e12);
    jest.advanceTimersByTime(60_000);
    expect(left).toEqual([]);
  });
});
