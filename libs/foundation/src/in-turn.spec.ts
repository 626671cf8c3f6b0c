import { describe, expect, it } from '@jest/globals';
import { busy, turnsDuring } from '@morgan/testing';
import { inTurn } from './in-turn.ts';

/** More than long work has of a turn. */
const LONG_MS = 6;

describe('pieces of long work', () => {
  it('are done at once where there is time, else in later turns and in their order', async () => {
    const order: number[] = [];
    const piece = (name: number) => inTurn(() => void order.push(busy(LONG_MS) && name));
    let results: unknown[] = [];
    const turns = await turnsDuring(() => {
      results = [1, 2, 3, 4].map(piece);
      expect(order).toEqual([1]);
      return Promise.all(results);
    });
    expect(order).toEqual([1, 2, 3, 4]);
    expect(results.map((result) => result instanceof Promise)).toEqual([false, true, true, true]);
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it('wait behind those that wait already, though there is time', async () => {
    const order: string[] = [];
    void inTurn(() => busy(LONG_MS));
    let last: unknown;
    const first = inTurn(() => {
      last = inTurn(() => void order.push('last'));
    });
    await Promise.all([first, inTurn(() => void order.push('second'))]);
    await last;
    expect(order).toEqual(['second', 'last']);
  });

  it('count as much as they say where that is more than they take', async () => {
    const results: unknown[] = [inTurn(() => 'much', LONG_MS), inTurn(() => 'little')];
    expect(results).toEqual(['much', expect.any(Promise)]);
    await expect(results[1]).resolves.toBe('little');
  });

  it('break those who asked for them, at once or later, and nobody else', async () => {
    const broken = () => {
      throw new Error('broken');
    };
    expect(() => inTurn(broken)).toThrow('broken');
    void inTurn(() => busy(LONG_MS));
    const [late, whole] = [inTurn(broken), inTurn(() => 'whole')];
    await expect(late).rejects.toThrow('broken');
    await expect(whole).resolves.toBe('whole');
  });
});
