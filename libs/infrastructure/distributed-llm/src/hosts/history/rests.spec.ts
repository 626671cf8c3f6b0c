import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Rests } from './rests.ts';

const rule = { of: 'host + model', firstMs: 1_000, maxMs: 8_000 } as const;
const own = { outcome: 'overloaded', rule, saidMs: undefined, errorResponse: undefined } as const;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('Rests', () => {
  const lengthOf = (rests: Rests) => rests.list()[0]?.remainingMs;

  it('grow while the same goes on, up to a limit, and start anew after a success', () => {
    const rests = new Rests(60_000);
    const lengths: unknown[] = [];
    for (let times = 0; times < 5; times += 1) {
      rests.begin('host', own);
      lengths.push(lengthOf(rests));
      jest.advanceTimersByTime(lengthOf(rests) ?? 0);
    }
    expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
    rests.end('host', performance.now());
    rests.begin('host', own);
    expect(lengthOf(rests)).toBe(1_000);
  });

  it('take calls that were on their way together as one event', () => {
    const rests = new Rests(60_000);
    expect([rests.begin('host', own), rests.begin('host', own)]).toEqual([true, false]);
    expect(lengthOf(rests)).toBe(1_000);
  });

  it('are as long as the host says, up to the limit, and only then binding', () => {
    const rests = new Rests(60_000);
    rests.begin('said', { ...own, saidMs: 20_000 });
    rests.begin('too long', { ...own, saidMs: 86_400_000 });
    rests.begin('own', own);
    expect(rests.list().map(({ remainingMs }) => remainingMs)).toEqual([20_000, 60_000, 1_000]);
    expect([rests.of('said')?.binding, rests.of('own')?.binding]).toEqual([true, false]);
    jest.advanceTimersByTime(20_000);
    expect(rests.of('said')).toBeUndefined();
  });

  it('become binding as soon as the host says for how long, be that shorter', () => {
    const rests = new Rests(60_000);
    for (let times = 0; times < 3; times += 1) {
      jest.advanceTimersByTime(lengthOf(rests) ?? 0);
      rests.begin('host', own);
    }
    rests.begin('host', { ...own, saidMs: 2_000 });
    expect([lengthOf(rests), rests.of('host')?.binding]).toEqual([2_000, true]);
    rests.begin('host', { ...own, saidMs: 1_000 });
    rests.begin('host', own);
    expect([lengthOf(rests), rests.of('host')?.binding]).toEqual([2_000, true]);
  });

  it('are over with a success of what was sent since, and not of an older call', () => {
    const rests = new Rests(60_000);
    const before = performance.now();
    jest.advanceTimersByTime(100);
    rests.begin('host', own);
    rests.end('host', before);
    expect(rests.of('host')).toBeDefined();
    rests.end('host', performance.now());
    expect(rests.of('host')).toBeUndefined();
  });

  it('do not grow where calls that were sent with the refused one are answered: the host has room for some', () => {
    const rests = new Rests(60_000);
    const lengths: unknown[] = [];
    for (let times = 0; times < 3; times += 1) {
      const sentAt = performance.now();
      jest.advanceTimersByTime(1);
      rests.begin('host', own);
      jest.advanceTimersByTime(200);
      rests.end('host', sentAt);
      lengths.push(lengthOf(rests));
      jest.advanceTimersByTime(lengthOf(rests) ?? 0);
    }
    expect(lengths).toEqual([800, 800, 800]);
  });

  it('grow all the same where only what was sent before the first of them is answered', () => {
    const rests = new Rests(60_000);
    const before = performance.now();
    jest.advanceTimersByTime(1);
    for (let times = 0; times < 2; times += 1) {
      rests.begin('host', own);
      rests.end('host', before);
      expect(lengthOf(rests)).toBe(1_000 * 2 ** times);
      jest.advanceTimersByTime(1_000);
    }
  });

  it('are as long as usual where the host says "at once", which it does while it is full', () => {
    const rests = new Rests(60_000);
    rests.begin('host', { ...own, saidMs: 0 });
    expect(lengthOf(rests)).toBe(1_000);
    expect(rests.of('host')?.binding).toBe(false);
  });

  it('of 10,000 models take the memory of a thousand', () => {
    const rests = new Rests(60_000);
    for (let model = 0; model < 10_000; model += 1) rests.begin(`model ${model}`, own);
    expect(rests.size).toBe(1_000);
    expect(rests.of('model 9999')).toBeDefined();
  });
});
