import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Pieces } from './pieces.ts';

describe('Pieces', () => {
  it('are all that came, in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 1_200 }), (arrays) => {
        const pieces = new Pieces();
        for (const array of arrays) pieces.push(Buffer.from(array));
        const all = Buffer.concat(arrays);
        expect(pieces.length).toBe(all.length);
        expect(pieces.whole().equals(all)).toBe(true);
        expect(Buffer.concat(pieces.list).equals(all)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('are few, however many came', () => {
    const pieces = new Pieces();
    const byte = Buffer.of(7);
    for (let count = 0; count < 1_000_000; count += 1) pieces.push(byte);
    expect(pieces.list.length).toBeLessThan(3_000);
    expect(pieces.whole()).toHaveLength(1_000_000);
    pieces.clear();
    expect([pieces.length, pieces.list.length, pieces.whole().length]).toEqual([0, 0, 0]);
  });

  it('are not copied where they are large, nor where there is one', () => {
    const pieces = new Pieces();
    const large = Buffer.alloc(16_384);
    pieces.push(large);
    expect(pieces.whole()).toBe(large);
    for (let count = 0; count < 2_000; count += 1) pieces.push(large);
    expect(pieces.list.every((piece) => piece === large)).toBe(true);
  });
});
