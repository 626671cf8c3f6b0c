import { expect, it } from '@jest/globals';
import { TurnOrder } from './turn-order.ts';

/** Different numbers in no order, the same each time. */
const numbers = (count: number) => Array.from({ length: count }, (_, index) => (index * 7_919) % 10_007);

it.each([0, 1, 2, 3, 10, 1_000])('gives %i elements as a sort would', (count) => {
  const order = new TurnOrder(numbers(count), (one, other) => one < other);
  const taken = Array.from({ length: count }, () => order.take());
  expect(taken).toEqual(numbers(count).sort((one, other) => one - other));
  expect(order.take()).toBeUndefined();
});

it('compares little for the first few of many', () => {
  let compared = 0;
  const order = new TurnOrder(numbers(5_000), (one, other) => {
    compared += 1;
    return one < other;
  });
  const taken = Array.from({ length: 32 }, () => order.take());
  expect(taken).toEqual(
    numbers(5_000)
      .sort((one, other) => one - other)
      .slice(0, 32),
  );
  // A sort takes more than 50,000.
  expect(compared).toBeLessThan(12_000);
});
