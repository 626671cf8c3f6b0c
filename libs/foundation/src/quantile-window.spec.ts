import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QuantileWindow } from './quantile-window.ts';

describe('a quantile window', () => {
  it('has no quantile while it is empty', () => {
    expect(new QuantileWindow(3).quantile(0.95)).toBeUndefined();
  });

  it('gives the smallest value that the share does not exceed', () => {
    const window = new QuantileWindow(100);
    for (let value = 100; value >= 1; value -= 1) window.add(value);
    expect([0, 0.01, 0.5, 0.95, 0.951, 1].map((share) => window.quantile(share))).toEqual([
      1, 1, 50, 95, 96, 100,
    ]);
  });

  it('has the mean of what it holds, and of nothing none', () => {
    const window = new QuantileWindow(3);
    expect(window.mean).toBeNaN();
    window.add(1);
    window.add(2);
    expect(window.mean).toBe(1.5);
    window.add(6);
    window.add(7);
    expect(window.mean).toBe(5);
  });

  it('is exact over the last values, whatever came before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 1e6, noNaN: true })), {
          maxLength: 80,
          size: 'max',
        }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99),
        (values, capacity, share) => {
          const window = new QuantileWindow(capacity);
          values.forEach((value, index) => {
            window.add(value);
            const last = values.slice(Math.max(0, index + 1 - capacity), index + 1).sort((a, b) => a - b);
            expect(window.size).toBe(last.length);
            expect(window.quantile(share)).toBe(last[Math.ceil(share * last.length) - 1]);
          });
        },
      ),
    );
  });
});
