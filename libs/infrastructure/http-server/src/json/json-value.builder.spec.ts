import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonScanner } from './json-scanner.ts';
import { JsonValueBuilder } from './json-value.builder.ts';

function build(json: string): unknown {
  const bytes = Buffer.from(json);
  const builder = new JsonValueBuilder();
  const scanner = new JsonScanner(builder, { maxDepth: 128, maxValues: 1_000_000 });
  // In two pieces, as a body comes.
  scanner.advance(bytes, bytes.length >> 1);
  scanner.advance(bytes, bytes.length);
  scanner.finish(bytes);
  return builder.finish(bytes);
}

/** Longer than what is decoded in one piece. */
const long = (text: string) => text.repeat(Math.ceil(300_000 / text.length));

describe('a value that is built while it arrives', () => {
  it('is what JSON.parse builds', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => expect(build(json)).toStrictEqual(JSON.parse(json))),
    );
  });

  it.each([
    '-0',
    '999999999999999',
    '9007199254740993',
    '1E400',
    '[1.5,-7,0,1e3]',
    '{"a":1,"b":2,"a":3}',
    '{"__proto__":{"polluted":true},"__proto__":[1]}',
    '{"constructor":null,"2":0,"1":0}',
  ])('is so for %s', (json) => {
    // Shows the order of keys, -0 and a key named `__proto__`.
    expect(inspect(build(json))).toBe(inspect(JSON.parse(json)));
  });

  it('is there at once where no text is long', () => {
    expect(build('{"input":["a"]}')).toEqual({ input: ['a'] });
  });

  it.each([
    ['plain', long('a text ')],
    ['of several bytes a character', `a${long('字😀é')}`],
    ['with escapes', `b${long('\\n\\ud83d\\ude00"字\\\\u12'.replaceAll('"', '\\"'))}`],
  ])('has its long texts whole: %s', async (_, text) => {
    const json = `{"__proto__":"${text}","list":["x","${text}","y"],"twice":"${text}","twice":"short"}`;
    const built = build(json);
    expect(built).toBeInstanceOf(Promise);
    const [own, parsed] = [await built, JSON.parse(json)] as [object, object];
    expect(Object.entries(own).flat(2)).toEqual(Object.entries(parsed).flat(2));
    expect(await build(`"${text}"`)).toBe(JSON.parse(`"${text}"`));
  });

  it('is refused where it would cost far more than its bytes', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `"k${index}":0`).join();
    const refusal = /more than 10000 keys, lists and objects/;
    expect(() => build(`{${keys}}`)).toThrow(refusal);
    expect(() => build(`[${'{},'.repeat(10_000)}[]]`)).toThrow(refusal);
    expect(() => build(`{"${'k'.repeat(1_025)}":0}`)).toThrow(/key of more than 1024 bytes/);
    expect(build(`[${'[0],'.repeat(4_096)}0]`)).toHaveLength(4_097);
  });
});
