import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isClosed } from './json-text.ts';

describe('isClosed', () => {
  it('is true of every object and list, and of none of their beginnings', () => {
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())), (value) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const text = bytes.toString('latin1');
        expect(isClosed(`\r\n ${text} \n`)).toBe(true);
        for (let end = 0; end < text.length; end += 1) expect(isClosed(text.slice(0, end))).toBe(false);
      }),
    );
  });

  it.each(['{}{}', '{} x', '', ' ', '"a"', '{"a":"}'])('is false of %j', (text) => {
    expect(isClosed(text)).toBe(false);
  });

  it('looks past a byte order mark', () => {
    expect(isClosed(Buffer.from('\uFEFF{}').toString('latin1'))).toBe(true);
  });

  it('takes a time that grows with the text only', () => {
    const text = JSON.stringify({ a: '\\"'.repeat(1_000_000) });
    const started = performance.now();
    expect(isClosed(text)).toBe(true);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
