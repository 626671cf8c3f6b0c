import { describe, expect, it, jest } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import { TransportError } from '@morgan/http-transport';
import { callThrough, settle } from '../fixture/calls.ts';
import { AdaptiveBulkhead } from './adaptive-bulkhead.ts';

const limit = { initialLimit: 10, minLimit: 1, maxLimit: 100 };
const bulkheadOf = (more: Partial<ConstructorParameters<typeof AdaptiveBulkhead>[0]> = {}) =>
  new AdaptiveBulkhead({ name: 'host', ...limit, maxQueue: 1_000, ...more });

describe('an adaptive bulkhead', () => {
  it('starts with the initial limit and queues the rest', async () => {
    const bulkhead = bulkheadOf();
    const calls = Array.from({ length: 12 }, () => callThrough(bulkhead));
    await settle();
    expect(calls.filter(({ begun }) => begun())).toHaveLength(10);
    expect(bulkhead.getStatus()).toMatchObject({
      running: 10,
      waiting: 2,
      maxConcurrent: 10,
      adaptive: { phase: 'cruise', limit: 10, bdp: 10 },
    });
  });

  it.each([
    ['a time-out', new AppError('attempt_timeout', 'slow'), 9],
    ['a refusal for want of room', new AppError('bulkhead_full', 'full'), 9],
    ['a time-out of the transport', new TransportError('first_byte_timeout', true), 9],
    ['an answer that asks for rest', Object.assign(new Error('answer'), { status: 429 }), 9],
    ['an answer that asks for rest, of axios', Object.assign(new Error(), { response: { status: 503 } }), 9],
    ['an answer behind an error', new AppError('host_error', 'x', { cause: { status: 503 } }), 9],
    ['another answer', Object.assign(new Error('answer'), { status: 500 }), 10],
    ['an open breaker', new AppError('circuit_open', 'open'), 10],
    ['a reset', new TransportError('reset', true), 10],
    ['a broken host', new AppError('host_error', 'broken'), 10],
    ['an unknown error', new Error('refused'), 10],
  ])('after %s allows as many as it should', async (_, error, allowed) => {
    const bulkhead = bulkheadOf();
    const call = callThrough(bulkhead);
    call.fail(error);
    await expect(call.result).rejects.toBe(error);
    expect(bulkhead.getStatus().maxConcurrent).toBe(allowed);
  });

  it('learns no latency from calls that say nothing of the host', async () => {
    const bulkhead = bulkheadOf();
    const { signal } = new AbortController();
    const send = async (work: () => Promise<void>) => {
      for (let call = 0; call < 400; call += 1)
        await bulkhead.execute(work, { id: 'a', signal }).catch(() => undefined);
      return bulkhead.getStatus().adaptive.minRttMs;
    };
    expect(await send(() => Promise.reject(new Error('refused')))).toBeUndefined();
    expect(await send(() => Promise.resolve())).toBeGreaterThanOrEqual(0);
  });

  it('asks its owner what an outcome means', async () => {
    const bulkhead = bulkheadOf({
      assess: (ending) => ({
        verdict: 'ignored',
        overloaded: 'result' in ending && ending.result === 'done',
      }),
    });
    const call = callThrough(bulkhead);
    call.finish();
    await call.result;
    expect(bulkhead.getStatus().maxConcurrent).toBe(9);
  });

  it('grows under load while latency stays flat, and admits who waits', async () => {
    jest.useFakeTimers();
    const bulkhead = bulkheadOf();
    const { signal } = new AbortController();
    let running = 0;
    let peak = 0;
    const work = async () => {
      running += 1;
      peak = Math.max(peak, running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
    };
    let left = 6_000;
    const client = async () => {
      while (left-- > 0) await bulkhead.execute(work, { id: 'a', signal });
    };
    let isOver = false;
    const all = Promise.all(Array.from({ length: 100 }, client)).then(() => (isOver = true));
    while (!isOver) await jest.advanceTimersByTimeAsync(1);
    await all;
    jest.useRealTimers();
    const status = bulkhead.getStatus();
    expect(status).toMatchObject({ running: 0, waiting: 0 });
    expect(status.adaptive.bdp).toBeGreaterThan(12);
    expect(peak).toBeGreaterThan(12);
    expect(peak).toBeLessThanOrEqual(100);
  });
});
