import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PeakEwma } from './peak-ewma.ts';

const SECOND = 1_000;
const after = (...samples: [ms: number, at: number][]) => {
  const ewma = new PeakEwma();
  for (const [ms, at] of samples) ewma.observe(ms, at);
  return ewma;
};

describe('the moving average of first-token times', () => {
  it('knows nothing at first', () => {
    expect(new PeakEwma().valueAt(0)).toBeUndefined();
  });

  it('believes a slower sample at once', () => {
    expect(after([300, 0], [5_000, 1]).valueAt(1)).toBe(5_000);
  });

  it('believes faster ones by and by', () => {
    const ewma = after([3_000, 0], [300, 1 * SECOND]);
    expect(ewma.valueAt(1 * SECOND)).toBeCloseTo(3_000 * Math.exp(-0.1) + 300 * (1 - Math.exp(-0.1)));
    for (let at = 2; at <= 60; at += 1) ewma.observe(300, at * SECOND);
    expect(ewma.valueAt(60 * SECOND)).toBeLessThan(310);
  });

  it('decays without samples, to a third in ten seconds, and is unknown after twenty-five', () => {
    const ewma = after([20_000, 0]);
    expect(ewma.valueAt(10 * SECOND)).toBeCloseTo(20_000 / Math.E);
    expect(ewma.valueAt(25 * SECOND)).toBeCloseTo(20_000 / Math.E ** 2.5);
    expect(ewma.valueAt(25 * SECOND + 1)).toBeUndefined();
    ewma.observe(50, 60 * SECOND);
    expect(ewma.valueAt(60 * SECOND)).toBe(50);
  });

  it('learns from a wait that was given up only that it takes longer', () => {
    const ewma = after([300, 0]);
    ewma.observeAtLeast(100, 0);
    expect(ewma.valueAt(0)).toBe(300);
    ewma.observeAtLeast(7_000, 0);
    expect(ewma.valueAt(0)).toBe(7_000);
  });

  it('is a number from 0 to the largest sample, whatever comes', () => {
    const steps = fc.array(fc.tuple(fc.nat(60_000), fc.double({ min: 0, max: 1e6, noNaN: true })));
    const property = fc.property(steps, (samples) => {
      const ewma = new PeakEwma();
      let [now, most] = [0, 0];
      for (const [waitMs, sample] of samples) {
        now += waitMs;
        most = Math.max(most, sample);
        ewma.observe(sample, now);
        expect(ewma.valueAt(now)).toBeGreaterThanOrEqual(sample);
        expect(ewma.valueAt(now)).toBeLessThanOrEqual(most * (1 + 1e-12));
      }
    });
    fc.assert(property);
  });
});
