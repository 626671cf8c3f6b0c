import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { collectGarbageWhenIdle } from './idle-garbage.ts';

let timer: NodeJS.Timeout | undefined;
afterEach(() => clearInterval(timer));

/** Resolves when what is handed over has been collected; asking again and again meanwhile would be no idleness. */
class Collections {
  readonly #registry = new FinalizationRegistry<() => void>((resolve) => resolve());

  of(garbage: object): Promise<void> {
    return new Promise((resolve) => this.#registry.register(garbage, resolve));
  }
}
const collections = new Collections();
const large = () => Array.from({ length: 5_000_000 }, (_, index) => ({ index }));

describe('an idle service', () => {
  it('frees what its start has left behind, then what a busy time has, and is kept alive by nothing', async () => {
    const drain = { inFlight: 0 };
    timer = collectGarbageWhenIdle(drain, 20);
    expect(timer.hasRef()).toBe(false);
    timer.ref();
    await collections.of([{}]);
    await collections.of(large());
  });

  it('that cannot see what it holds, as all its files are open, lives on and looks again', async () => {
    const rss = jest.spyOn(process.memoryUsage, 'rss').mockImplementationOnce(() => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    });
    timer = collectGarbageWhenIdle({ inFlight: 0 }, 20);
    timer.ref();
    await collections.of([{}]);
    expect(rss.mock.calls.length).toBeGreaterThan(1);
    rss.mockRestore();
  });

  it('is one in which no call is under way', async () => {
    const drain = { inFlight: 1 };
    const looks = jest.spyOn(performance, 'eventLoopUtilization');
    timer = collectGarbageWhenIdle(drain, 20);
    timer.ref();
    const order: string[] = [];
    const left = collections.of([{}]).then(() => order.push('collected'));
    await waitFor(() => looks.mock.calls.length > 10, { what: 'five looks' });
    looks.mockRestore();
    order.push('answered');
    drain.inFlight = 0;
    await left;
    expect(order).toEqual(['answered', 'collected']);
  });

  it('is not one that only happens to have no call under way, as between those of a start under load', async () => {
    const looks = jest.spyOn(performance, 'eventLoopUtilization');
    timer = collectGarbageWhenIdle({ inFlight: 0 }, 20);
    timer.ref();
    const order: string[] = [];
    const left = collections.of([{}]).then(() => order.push('collected'));
    const isDue = () => looks.mock.calls.length > 10;
    while (!isDue()) {
      const until = performance.now() + 10;
      while (performance.now() < until);
      await new Promise((resolve) => setImmediate(resolve));
    }
    looks.mockRestore();
    order.push('quiet');
    await left;
    expect(order).toEqual(['quiet', 'collected']);
  });
});

describe('what an idle service looks for', () => {
  const MEGABYTE = 1024 * 1024;
  const SECOND = 1_000;
  let collections: number;
  let heldBytes: number;
  let utilization: number;

  /** Its start is over, with 100 MB left of it. */
  beforeEach(() => {
    jest.useFakeTimers({ now: 0, doNotFake: ['performance'] });
    collections = 0;
    heldBytes = 100 * MEGABYTE;
    utilization = 0;
    jest.spyOn(process.memoryUsage, 'rss').mockImplementation(() => heldBytes);
    jest
      .spyOn(performance, 'eventLoopUtilization')
      .mockImplementation(() => ({ idle: 0, active: 0, utilization }));
    timer = collectGarbageWhenIdle({ inFlight: 0 }, undefined, () => (collections += 1));
    jest.advanceTimersByTime(SECOND - 1);
    expect(collections).toBe(0);
    jest.advanceTimersByTime(1);
    expect(collections).toBe(1);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('is growth by more than 32 MB since it last collected, and nothing below', () => {
    heldBytes += 32 * MEGABYTE;
    jest.advanceTimersByTime(60 * SECOND);
    expect(collections).toBe(1);
    heldBytes += 1;
    jest.advanceTimersByTime(SECOND);
    expect(collections).toBe(2);
    heldBytes += 32 * MEGABYTE;
    jest.advanceTimersByTime(60 * SECOND);
    expect(collections).toBe(2);
  });

  it('comes after twenty seconds in a row with work for a twentieth of the time at most', () => {
    heldBytes += 64 * MEGABYTE;
    utilization = 0.06;
    jest.advanceTimersByTime(60 * SECOND);
    utilization = 0.05;
    jest.advanceTimersByTime(19 * SECOND);
    utilization = 0.06;
    jest.advanceTimersByTime(SECOND);
    utilization = 0.05;
    jest.advanceTimersByTime(19 * SECOND);
    expect(collections).toBe(1);
    jest.advanceTimersByTime(SECOND);
    expect(collections).toBe(2);
  });
});
