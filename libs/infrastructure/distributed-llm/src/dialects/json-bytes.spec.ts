import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { firstByte, isClosed, lastByte } from './json-bytes.ts';

describe('isClosed', () => {
  it('is true of every object and list, and of none of their beginnings', () => {
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())), (value) => {
        const bytes = Buffer.from(`\r\n ${JSON.stringify(value)} \n`);
        expect(isClosed(bytes)).toBe(true);
        for (let end = 0; end <= lastByte(bytes); end += 1)
          expect(isClosed(bytes.subarray(0, end))).toBe(false);
      }),
    );
  });

  it.each(['{}{}', '{} x', '', ' ', '"a"', '{"a":"}'])('is false of %j', (text) => {
    expect(isClosed(Buffer.from(text))).toBe(false);
  });

  it('takes a time that grows with the text only', () => {
    const text = JSON.stringify({ a: '\\"'.repeat(1_000_000) });
    const started = performance.now();
    expect(isClosed(Buffer.from(text))).toBe(true);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('where a text begins and ends', () => {
  it('is behind a byte order mark and white space', () => {
    expect(firstByte(Buffer.from('\uFEFF \n{}'))).toBe(5);
    expect([lastByte(Buffer.from('{} \n')), lastByte(Buffer.from(' '))]).toEqual([1, -1]);
  });
});
