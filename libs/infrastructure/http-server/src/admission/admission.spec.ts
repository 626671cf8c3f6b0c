import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type LogFields, silentLogger } from '@morgan/foundation';
import { Admission, type AdmissionOptions, type RefusalReason } from './admission.ts';
import type { BodyCharge } from './body-charge.ts';

const OPTIONS: AdmissionOptions = {
  maxCalls: 8,
  maxBytes: 1000,
  smallBytes: 10,
  smallShare: 0.25,
  queueTimeoutMs: 100,
};

describe('admission', () => {
  let refusals: RefusalReason[];
  let warnings: LogFields[];
  let admission: Admission;
  let leave: AbortController;

  beforeEach(() => {
    jest.useFakeTimers();
    refusals = [];
    warnings = [];
    leave = new AbortController();
    const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
    admission = new Admission(OPTIONS, logger, { refused: (reason) => void refusals.push(reason) });
  });

  afterEach(() => {
    const left = jest.getTimerCount();
    jest.useRealTimers();
    expect(left).toBe(0);
  });

  const atOnce = (bytes: number) => {
    const entered = admission.enter(bytes, leave);
    if (!(entered instanceof Promise)) return entered;
    entered.catch(() => undefined);
    throw new Error('it has to wait');
  };
  const queued = (bytes: number, name: string, order: string[]) => {
    const entered = admission.enter(bytes, leave);
    if (!(entered instanceof Promise)) throw new Error('it did not have to wait');
    const outcome = entered.then(
      (charge) => {
        order.push(name);
        return charge;
      },
      (error: AppError) => error,
    );
    return outcome;
  };

  it('lets bodies in up to the bytes that are not kept for small ones', () => {
    atOnce(750);
    expect(() => atOnce(11)).toThrow('wait');
    expect(admission.bytes).toBe(750);
    leave.abort();
  });

  it('keeps bytes and calls for small bodies', () => {
    const charges = [atOnce(700), atOnce(11), atOnce(11), atOnce(11), atOnce(11), atOnce(1)];
    expect(() => atOnce(11)).toThrow(AppError);
    expect(refusals).toEqual(['calls']);
    charges.push(atOnce(10), atOnce(1));
    expect(() => atOnce(1)).toThrow('at most 8 requests');
    expect(refusals).toEqual(['calls', 'calls']);
    for (const charge of charges) charge.release();
    expect(admission.bytes).toBe(0);
  });

  it('gives a small body the bytes that a large one waits for', async () => {
    const held = atOnce(750);
    const order: string[] = [];
    const large = queued(500, 'large', order);
    atOnce(10).release();
    held.release();
    expect(await large).toMatchObject({});
    expect(admission.bytes).toBe(500);
  });

  it('serves those who wait in their order, also past one that came later and would fit', async () => {
    const first = atOnce(700);
    const order: string[] = [];
    const waits = [queued(600, 'second', order), queued(100, 'third', order), queued(20, 'fourth', order)];
    expect(admission.waiting).toBe(3);
    first.release();
    await Promise.all(waits);
    expect(order).toEqual(['second', 'third', 'fourth']);
    expect([admission.bytes, admission.waiting]).toEqual([720, 0]);
  });

  it('lets nobody in for whom what became free is not enough', async () => {
    const [first, other] = [atOnce(500), atOnce(200)];
    const waits = queued(600, 'second', []);
    other.release();
    expect([admission.bytes, admission.waiting]).toEqual([500, 1]);
    first.release();
    await waits;
    expect([admission.bytes, admission.waiting]).toEqual([600, 0]);
  });

  it('refuses who has waited too long, says when to come back, and gives the place free', async () => {
    const first = atOnce(700);
    const wait = queued(600, 'second', []);
    await jest.advanceTimersByTimeAsync(99);
    expect(admission.waiting).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    const error = (await wait) as AppError;
    expect([error.code, error.status, refusals]).toEqual(['overloaded', 503, ['queue_timeout']]);
    expect(error.message).toContain('1000 bytes');
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(1000);
    expect(admission.waiting).toBe(0);
    first.release();
    for (let call = 0; call < 6; call += 1) atOnce(11);
  });

  it('forgets who has left while it waited', () => {
    const first = atOnce(700);
    void queued(600, 'second', []);
    leave.abort();
    expect(admission.waiting).toBe(0);
    first.release();
    expect(admission.bytes).toBe(0);
    for (let call = 0; call < 6; call += 1) atOnce(11);
  });

  it('charges a body of unknown length as it comes, as a large one from then on', () => {
    const charge = atOnce(0);
    charge.growTo(300);
    charge.growTo(700);
    charge.growTo(600);
    expect(admission.bytes).toBe(700);
    expect(() => charge.growTo(751)).toThrow('1000 bytes');
    expect([admission.bytes, refusals]).toEqual([700, ['body_bytes']]);
    charge.release();
    charge.release();
    charge.growTo(800);
    expect(admission.bytes).toBe(0);
  });

  it('has what an answer holds wait for room, but not behind bodies that are not in yet', async () => {
    const order: string[] = [];
    const [first, second] = [atOnce(400), atOnce(200)];
    expect(first.add(100, leave.signal)).toBeUndefined();
    expect(admission.bytes).toBe(700);
    const outside = queued(600, 'outside', order);
    const more = second.add(100, leave.signal)?.then(() => order.push('inside'));
    expect([more instanceof Promise, admission.bytes]).toEqual([true, 700]);
    first.release();
    expect(admission.bytes).toBe(300);
    await more;
    expect(order).toEqual(['inside']);
    second.release();
    await outside;
    expect([order, admission.bytes]).toEqual([['inside', 'outside'], 600]);
  });

  it('lets what an answer holds wait no longer than a body, and gives back what nobody waits for any more', async () => {
    const [first, second] = [atOnce(400), atOnce(350)];
    const inVain = second.add(100, leave.signal);
    jest.advanceTimersByTime(OPTIONS.queueTimeoutMs);
    await expect(inVain).rejects.toMatchObject({ code: 'overloaded' });
    expect(admission.bytes).toBe(750);
    const late = second.add(100, leave.signal);
    first.release();
    second.release();
    await late;
    expect(admission.bytes).toBe(0);
  });

  it('has an answer that is more than there can ever be go alone', async () => {
    const [first, second] = [atOnce(100), atOnce(20)];
    const alone = first.add(5_000, leave.signal);
    expect(alone).toBeInstanceOf(Promise);
    second.release();
    expect(admission.bytes).toBe(750);
    await alone;
    first.release();
    expect(admission.bytes).toBe(0);
  });

  it('gives to those who wait what a call needs no more', async () => {
    const charge = atOnce(700);
    const waiting = queued(400, 'next', []);
    charge.shrinkTo(800);
    charge.shrinkTo(350);
    expect(await waiting).toMatchObject({});
    expect(admission.bytes).toBe(750);
    charge.release();
    charge.shrinkTo(100);
    expect(admission.bytes).toBe(400);
  });

  describe('of several callers', () => {
    beforeEach(() => {
      const observer = { refused: (reason: RefusalReason) => void refusals.push(reason) };
      admission = new Admission({ ...OPTIONS, callers: () => 2 }, silentLogger, observer);
    });
    const enter = (caller: string, bytes = 1) => {
      const { signal } = leave;
      const entered = admission.enter(bytes, { signal, caller });
      if (entered instanceof Promise) entered.catch(() => undefined);
      return entered as BodyCharge;
    };
    const refused = expect.objectContaining({ code: 'rate_limited', status: 429 });

    it('keeps a quarter of its places for others, and takes every one back', () => {
      const charges = Array.from({ length: 6 }, () => enter('a'));
      expect(() => enter('a')).toThrow(refused);
      expect(() => enter('a')).toThrow('has 6 requests under way');
      charges.push(enter('b'), enter('c'));
      expect(() => enter('d')).toThrow('at most 8 requests');
      expect(refusals).toEqual(['caller_calls', 'caller_calls', 'calls']);
      for (const charge of charges) charge.release();
      for (const charge of charges) charge.release();
      for (let call = 0; call < 6; call += 1) enter('a');
      expect(() => enter('a')).toThrow(refused);
    });

    it('has a place for one more caller, however many greedy ones there are', () => {
      const observer = { refused: () => undefined };
      admission = new Admission({ ...OPTIONS, maxCalls: 2_048, callers: () => 9 }, silentLogger, observer);
      const takeAll = (caller: string) => {
        for (let count = 0; ; count += 1) {
          try {
            enter(caller, 0);
          } catch {
            return count;
          }
        }
      };
      expect(['a', 'b', 'c', 'd'].map(takeAll)).toEqual([1_536, 384, 96, 24]);
      expect(() => enter('modest')).not.toThrow();
    });

    it('counts those that wait, until they leave', () => {
      enter('b', 700);
      for (let call = 0; call < 4; call += 1) enter('a', 600);
      enter('a');
      expect(() => enter('a')).toThrow(refused);
      leave.abort();
      leave = new AbortController();
      for (let call = 0; call < 4; call += 1) enter('a');
      expect(() => enter('a')).toThrow(refused);
    });
  });

  it('gives a single caller every place', () => {
    const { signal } = leave;
    for (let call = 0; call < 8; call += 1) void admission.enter(1, { signal, caller: 'a' });
    expect(() => admission.enter(1, { signal, caller: 'a' })).toThrow('at most 8 requests');
  });

  it('logs refusals once in a while, with how many there were', () => {
    const charges: BodyCharge[] = Array.from({ length: 8 }, () => atOnce(1));
    for (let call = 0; call < 5; call += 1) expect(() => atOnce(1)).toThrow();
    expect(warnings).toMatchObject([{ reason: 'calls', refused: 1, calls: 8, bodyBytes: 8 }]);
    jest.advanceTimersByTime(10_000);
    expect(() => atOnce(1)).toThrow();
    expect(warnings[1]).toMatchObject({ refused: 5 });
    for (const charge of charges) charge.release();
  });
});
