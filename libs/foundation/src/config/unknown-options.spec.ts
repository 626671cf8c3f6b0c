import { expect, it } from '@jest/globals';
import { refuseUnknownOptions, requireName } from './unknown-options.ts';

it('names the class and every option that it does not have', () => {
  expect(() => refuseUnknownOptions('Breaker', {})).not.toThrow();
  const misplaced = { threshold: 3, resetMs: undefined };
  expect(() => refuseUnknownOptions('Breaker', misplaced)).toThrow(
    new TypeError('Breaker has no option "threshold", "resetMs"'),
  );
});

it.each(['', ' ', undefined, 5])('refuses %j for a name', (name) => {
  expect(() => requireName('Breaker', name)).toThrow(new TypeError('Breaker needs a name that is not empty'));
  expect(requireName('Breaker', 'gpu 1')).toBe('gpu 1');
});
