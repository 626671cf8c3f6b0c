import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toInt64 } from './integers.ts';

it('makes 64 bits of every number of 32 bits, of negative ones too', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), (numbers) => {
      expect(toInt64(Int32Array.from(numbers))).toEqual(BigInt64Array.from(numbers, BigInt));
    }),
  );
});
