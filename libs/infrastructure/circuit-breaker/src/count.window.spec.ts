import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CountWindow } from './count.window.ts';

describe('the count window', () => {
  it('holds exactly the last calls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 20 }),
        (calls, size) => {
          const window = new CountWindow(size);
          calls.forEach((failed, index) => {
            const last = calls.slice(Math.max(0, index + 1 - size), index + 1);
            expect(window.add(failed)).toEqual({ calls: last.length, failures: last.filter(Boolean).length });
          });
        },
      ),
    );
  });
});
