import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Backoff, type Jitter } from './backoff.ts';

const options = { baseDelayMs: 1000, maxDelayMs: 60_000, base: 2 };
/** The largest number below 1 that `Math.random` can give. */
const ALMOST_ONE = 1 - 2 ** -53;
const delays = (jitter: Jitter, random: number, count = 8) => {
  const backoff = new Backoff({ ...options, jitter }, () => random);
  return Array.from({ length: count }, () => backoff.nextMs());
};
const CEILINGS = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];

describe('a back-off', () => {
  it('without jitter doubles up to its longest delay', () => {
    expect(delays('none', 0.5)).toEqual(CEILINGS);
  });

  it('with full jitter lies between 0 and the exponential bound', () => {
    expect(delays('full', 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(delays('full', 0.5)).toEqual(CEILINGS.map((ceiling) => ceiling / 2));
    delays('full', ALMOST_ONE).forEach((delay, index) => {
      expect(delay).toBeLessThan(CEILINGS[index] as number);
      expect(delay).toBeCloseTo(CEILINGS[index] as number, 6);
    });
  });

  it('with decorrelated jitter lies between the first delay and three times the last one', () => {
    expect(delays('decorrelated', 0)).toEqual(Array(8).fill(1000));
    expect(delays('decorrelated', 0.5, 4)).toEqual([2000, 3500, 5750, 9125]);
    expect(delays('decorrelated', ALMOST_ONE, 6).map(Math.round)).toEqual([
      3000, 9000, 27_000, 60_000, 60_000, 60_000,
    ]);
  });

  it('grows by its base', () => {
    const backoff = new Backoff({ ...options, base: 3, jitter: 'none' });
    expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()]).toEqual([1000, 3000, 9000]);
  });

  it('never exceeds its longest delay, however often it is asked and whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.record({
          baseDelayMs: fc.integer({ min: 0, max: 100_000 }),
          maxDelayMs: fc.integer({ min: 0, max: 100_000 }),
          base: fc.double({ min: 1, max: 10, noNaN: true }),
          jitter: fc.constantFrom<Jitter>('full', 'decorrelated', 'none'),
        }),
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 1500,
          maxLength: 1500,
        }),
        (given, chances) => {
          let asked = 0;
          const backoff = new Backoff(given, () => chances[asked++] as number);
          for (let count = 0; count < 1500; count += 1) {
            const delay = backoff.nextMs();
            if (!(delay >= 0 && delay <= given.maxDelayMs)) throw new Error(`${delay} ms`);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('spreads callers evenly when it draws its own chances', () => {
    const drawn = Array.from({ length: 4000 }, () => new Backoff({ ...options, jitter: 'full' }).nextMs());
    const quarters = [0, 1, 2, 3].map((n) => drawn.filter((ms) => Math.floor(ms / 250) === n).length);
    for (const count of quarters) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });
});
