import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseExactly } from './exact-json.ts';

const again = (text: string) => JSON.stringify(parseExactly(text));

describe('parseExactly', () => {
  it.each([
    '{"id":1234567890123456789,"n":[-9007199254740993,1.5,1e400]}',
    '{"a\\"\\\\":"\\\\","id":98765432109876543210}',
    '12345678901234567890',
  ])('writes integers as they came: %s', (text) => {
    expect(again(text)).toBe(text.replace('1e400', 'null'));
  });

  it('reads everything else as JSON.parse does', () => {
    const json = fc.json().map((text) => `{"long text":"1234567890123456789","rest":${text}}`);
    fc.assert(fc.property(json, (text) => again(text) === JSON.stringify(JSON.parse(text))));
  });

  it.each(['{"id":1234567890123456789', '"1234567890123456', '"1234567890123456\\"', ''])(
    'throws as JSON.parse does: %s',
    (text) => {
      expect(() => parseExactly(text)).toThrow(SyntaxError);
    },
  );

  it('refuses such an integer among more values than it may look at, and takes digits in texts for none', () => {
    const many = (last: string) => `[${'1,'.repeat(100_000)}${last}]`;
    expect(() => parseExactly(many('1234567890123456789'))).toThrow(/at most 100000 values/);
    expect(parseExactly(many('"the id: 1234567890123456789"'))).toHaveLength(100_001);
    expect(parseExactly(`["${','.repeat(100_000)}",1234567890123456789]`)).toHaveLength(2);
  });
});
