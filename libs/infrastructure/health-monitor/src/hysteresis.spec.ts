import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Hysteresis } from './hysteresis.ts';

const threshold = fc.integer({ min: 1, max: 6 });
const outcomes = fc.array(fc.boolean(), { maxLength: 60, size: 'max' });

describe('Hysteresis', () => {
  it('changes exactly when as many outcomes in a row as it takes have contradicted it', () => {
    fc.assert(
      fc.property(threshold, threshold, outcomes, (toRaise, toClear, sequence) => {
        const belief = new Hysteresis(toRaise, toClear);
        let row: boolean[] = [];
        for (const outcome of sequence) {
          const before = belief.raised;
          row = row.at(-1) === outcome ? [...row, outcome] : [outcome];
          belief.observe(outcome);
          const due = outcome !== before && row.length >= (before ? toClear : toRaise);
          expect(belief.raised).toBe(due ? outcome : before);
        }
      }),
    );
  });

  it('begins cleared, and counts what has contradicted it in a row', () => {
    const belief = new Hysteresis(3, 2);
    expect([belief.raised, belief.against]).toEqual([false, 0]);
    belief.observe(true);
    belief.observe(true);
    expect(belief.against).toBe(2);
    belief.observe(false);
    expect([belief.raised, belief.against]).toEqual([false, 0]);
  });

  it('decides at once when it is set, and forgets the row', () => {
    const belief = new Hysteresis(2, 2);
    belief.observe(true);
    belief.set(false);
    belief.observe(true);
    expect(belief.raised).toBe(false);
    belief.set(true);
    expect(belief.raised).toBe(true);
  });
});
