import { describe, expect, it } from '@jest/globals';
import { MeanSinceChange } from './mean-since-change.ts';

/** A mean to which batches of 200 samples have been added. */
function meanOf(batches: readonly number[]): MeanSinceChange {
  const mean = new MeanSinceChange();
  for (const batch of batches) mean.add(batch, 200);
  return mean;
}

const steady = Array.from({ length: 10 }, () => 100);

describe('a mean since the last change', () => {
  it('is the mean of all samples', () => {
    const mean = new MeanSinceChange();
    expect(mean.add(100, 200)).toBe(true);
    expect(mean.add(106, 400)).toBe(false);
    expect(mean.mean).toBeCloseTo(104);
    expect(mean.samples).toBe(600);
  });

  it.each([
    ['up', 125],
    ['down', 80],
  ])('starts anew after a change %s, from the batches that told of it', (_, changed) => {
    const mean = meanOf([...steady, 96, 104, changed, changed]);
    expect(mean.doubted).toBe(true);
    expect(mean.add(changed, 200)).toBe(false);
    expect(mean.add(changed, 200)).toBe(true);
    expect(mean.mean).toBeCloseTo(changed);
    expect(mean.samples).toBe(800);
    expect(mean.doubted).toBe(false);
  });

  it('takes one batch that is far off for a change', () => {
    expect(meanOf([...steady, 200]).mean).toBe(200);
    expect(meanOf([...steady, 50]).mean).toBe(50);
  });

  it('takes batches that are off to both sides for chance', () => {
    const mean = meanOf(Array.from({ length: 50 }, (_, at) => (at % 2 ? 89 : 112)));
    expect(mean.samples).toBe(8_000);
    expect(mean.mean).toBeCloseTo(100.5, 0);
  });

  it('follows a slow drift, in which no batch is off by enough', () => {
    const mean = meanOf(Array.from({ length: 300 }, (_, at) => 100 + at / 10));
    expect(mean.samples).toBe(8_000);
    expect(mean.mean).toBeGreaterThan(125);
    expect(mean.mean).toBeLessThan(127);
  });

  it('forgets everything at a restart', () => {
    const mean = meanOf([...steady, 120]);
    mean.restart();
    expect([mean.mean, mean.samples, mean.doubted]).toEqual([NaN, 0, false]);
    expect(mean.add(120, 200)).toBe(true);
    expect(mean.mean).toBe(120);
  });
});
