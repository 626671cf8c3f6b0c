import { describe, expect, it } from '@jest/globals';
import { FailurePenalties } from './failure-penalties.ts';

const SECOND = 1_000;

describe('what failures make of the time to the first token', () => {
  it('is four times what was expected, from a second to five minutes', () => {
    const penalties = new FailurePenalties();
    expect(penalties.msAt(0, 'a')).toBe(0);
    penalties.add(0, 0, 'a', false);
    expect(penalties.msAt(0, 'a')).toBe(1_000);
    penalties.add(2_000, 0, 'a', false);
    expect(penalties.msAt(0, 'a')).toBe(8_000);
    penalties.add(200_000, 0, 'a', false);
    expect(penalties.msAt(0, 'a')).toBe(300_000);
  });

  it('is that of the model which failed, unless the target failed as a whole', () => {
    const penalties = new FailurePenalties();
    penalties.add(0, 0, 'broken', false);
    expect(penalties.msAt(0, 'other')).toBe(0);
    penalties.add(500, 0, 'broken', true);
    expect(penalties.msAt(0, 'other')).toBe(2_000);
  });

  it('is forgiven with the next answer for that model, and with any where the target had failed', () => {
    const penalties = new FailurePenalties();
    penalties.add(0, 0, 'broken', false);
    penalties.add(0, 0, 'other', true);
    penalties.forgive('other');
    expect(penalties.msAt(0, 'other')).toBe(0);
    expect(penalties.msAt(0, 'broken')).toBe(1_000);
    penalties.forgive('broken');
    expect(penalties.msAt(0, 'broken')).toBe(0);
  });

  it('decays to a third in ten seconds, and is over after twenty-five', () => {
    const penalties = new FailurePenalties();
    penalties.add(0, 0, 'a', false);
    expect(penalties.msAt(10 * SECOND, 'a')).toBeCloseTo(1_000 / Math.E);
    expect(penalties.msAt(25 * SECOND + 1, 'a')).toBe(0);
  });

  it('is kept for the latest hundred models only, as callers name them', () => {
    const penalties = new FailurePenalties();
    for (let count = 0; count <= 100; count += 1) penalties.add(0, 0, `model ${count}`, false);
    expect([0, 1, 100].map((count) => penalties.msAt(0, `model ${count}`))).toEqual([0, 1_000, 1_000]);
  });
});
