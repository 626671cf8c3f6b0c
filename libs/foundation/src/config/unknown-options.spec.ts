import { expect, it } from '@jest/globals';
import { refuseUnknownOptions } from './unknown-options.ts';

it('names the class and every option that it does not have', () => {
  expect(() => refuseUnknownOptions('Breaker', {})).not.toThrow();
  const misplaced = { threshold: 3, resetMs: undefined };
  expect(() => refuseUnknownOptions('Breaker', misplaced)).toThrow(
    new TypeError('Breaker has no option "threshold", "resetMs"'),
  );
});
