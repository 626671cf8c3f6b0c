import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonFault, type JsonLimits } from './json-fault.ts';
import { JsonScanner } from './json-scanner.ts';
import { beginningOf, textOf } from './json-text.ts';
import type { JsonToken, JsonVisitor } from './json-visitor.ts';

const UNBOUND: JsonLimits = { maxDepth: 100, maxValues: 1_000_000 };

/** Builds the value again from what the scanner reports, so that it can be compared with what JSON.parse builds. */
class Builder implements JsonVisitor {
  value: unknown;
  readonly #open: { value: unknown; key: string }[] = [];

  key(token: JsonToken, bytes: Buffer): void {
    expect(token.depth).toBe(this.#open.length);
    (this.#open.at(-1) as { key: string }).key = textOf(bytes, token);
  }

  scalar(token: JsonToken, bytes: Buffer): void {
    const text = bytes.toString('utf8', token.start, token.end);
    this.#put(token.kind === 'string' ? textOf(bytes, token) : JSON.parse(text), token);
  }

  open(token: JsonToken): void {
    const value: unknown = token.kind === 'object' ? Object.create(null) : [];
    this.#put(value, token);
    this.#open.push({ value, key: '' });
  }

  close(token: JsonToken): void {
    this.#open.pop();
    expect(token.depth).toBe(this.#open.length);
  }

  #put(value: unknown, { depth }: JsonToken): void {
    expect(depth).toBe(this.#open.length);
    const parent = this.#open.at(-1);
    if (!parent) this.value = value;
    else if (Array.isArray(parent.value)) parent.value.push(value);
    else (parent.value as Record<string, unknown>)[parent.key] = value;
  }
}

type Outcome = { readonly value: unknown } | 'refused';

/** Hands the bytes over in pieces that end at `cuts`, each time in a buffer that holds nothing but what has come. */
function scan(bytes: Buffer, cuts: readonly number[] = [], limits = UNBOUND): Outcome {
  const builder = new Builder();
  const scanner = new JsonScanner(builder, limits);
  try {
    for (const cut of cuts) scanner.advance(Buffer.from(bytes.subarray(0, cut)), cut);
    scanner.advance(bytes, bytes.length);
    scanner.finish(bytes);
  } catch (error) {
    if (error instanceof JsonFault) return 'refused';
    throw error;
  }
  return { value: builder.value };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parse(bytes: Buffer): Outcome {
  try {
    return { value: withoutPrototypes(JSON.parse(decoder.decode(bytes))) };
  } catch {
    return 'refused';
  }
}

/** `__proto__` is a key like any other to JSON.parse; toEqual does not look at it, so both sides lose their prototypes. */
function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, withoutPrototypes(each)] as const);
  const bare = Object.create(null) as Record<string, unknown>;
  for (const [key, each] of entries) bare[key] = each;
  return bare;
}

const splits = (length: number) => Array.from({ length: length + 1 }, (_, cut) => cut);

/** The same at once, cut once at every place, and byte by byte. */
function expectLikeJsonParse(bytes: Buffer): void {
  const expected = parse(bytes);
  expect(scan(bytes)).toEqual(expected);
  for (const cut of splits(bytes.length)) expect(scan(bytes, [cut])).toEqual(expected);
  expect(scan(bytes, splits(bytes.length))).toEqual(expected);
}

const TEXTS = [
  '', ' ', '{}', '[]', ' { } ', '[ ]', 'null', 'true', 'false', '0', '-0', '1', '-1.5e+10', '1E5', '1e-2', '""', '"a"',
  '01', '-', '1.', '.5', '1e', '1e+', '+1', '1.e5', '--1', '0x1', '1_0', 'NaN', 'Infinity', '-Infinity',
  'nul', 'nulll', 'True', 'tru e', '[1,]', '[,1]', '[1 2]', '{"a":1,}', '{"a"}', '{a:1}', "{'a':1}", '{"a":1 "b":2}',
  '{"a":1,"a":2}', '{"a" : [ 1 , {"b":null} ] }', '{"":0}', '{"__proto__":{"x":1}}', '{"constructor":1}', '[1}', '{"a":1]',
  '[', '{', '"', '{"a"', '{"a":', '{"a":1', '[[[[]]]', ']', '}', ',', ':', '1 2', '{} {}', '[]x',
  '"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\u12"', '"\\u12g4"', '"\\x"', '"\\"', '"\\',
  '"tab\there"', '"line\nbreak"', '"\u007f"', '"\u2028"', '"é€😀"', '\ufeff{}', '\u00a0{}', '\v1', '/* */1', '{"😀":"\\u20ac"}',
]; // prettier-ignore

describe('a JSON text, cut anywhere', () => {
  it.each(TEXTS)('is taken or refused as JSON.parse does: %j', (text) => {
    expectLikeJsonParse(Buffer.from(text));
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['a character that is cut', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['half of a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a code point beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ['a byte that UTF-8 never has', [0x22, 0xff, 0x22]],
    ['a character that never ends', [0x22, 0x22, 0xf0, 0x9f]],
    ['UTF-16', [0x7b, 0x00, 0x7d, 0x00]],
  ])('is refused with %s', (_, bytes) => {
    expect(parse(Buffer.from(bytes))).toBe('refused');
    expectLikeJsonParse(Buffer.from(bytes));
  });

  it('gives the values that JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.array(fc.nat()), (text, cuts) => {
        const bytes = Buffer.from(text);
        const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other);
        expect(scan(bytes, places)).toEqual(parse(bytes));
      }),
      { numRuns: 200 },
    );
  });

  it('is refused where JSON.parse refuses it, after any one change', () => {
    const change = fc.record({
      at: fc.nat(),
      remove: fc.integer({ min: 0, max: 2 }),
      insert: fc.uint8Array({ maxLength: 2 }),
    });
    const structural = fc.constantFrom(...'{}[]",:\\0123456789.eE+-tfnu \n').map((each) => Buffer.from(each));
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        change,
        fc.option(structural),
        (text, { at, remove, insert }, sign) => {
          const bytes = Buffer.from(text);
          const place = at % (bytes.length + 1);
          const changed = [bytes.subarray(0, place), sign ?? insert, bytes.subarray(place + remove)];
          const whole = Buffer.concat(changed);
          expect(scan(whole)).toEqual(parse(whole));
          expect(scan(whole, [place])).toEqual(parse(whole));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is refused where JSON.parse refuses it, made of any bytes that JSON has', () => {
    const signs = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '\\',
      '0',
      '1',
      '.',
      'e',
      '-',
      'null',
      'u00e9',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 12 }), (parts) => {
        const bytes = Buffer.from(parts.join(''));
        expect(scan(bytes, splits(bytes.length))).toEqual(parse(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the limits of a JSON text', () => {
  const reasonOf = (text: string, limits: JsonLimits) => {
    const bytes = Buffer.from(text);
    const scanner = new JsonScanner(new Builder(), limits);
    try {
      scanner.advance(bytes, bytes.length);
    } catch (error) {
      return [(error as JsonFault).reason, (error as JsonFault).offset];
    }
    return 'taken';
  };

  it('bound its depth, at the byte that goes too deep', () => {
    const limits = { maxDepth: 3, maxValues: 100 };
    expect(reasonOf('[[{"a":1}]]', limits)).toBe('taken');
    expect(reasonOf('[[{"a":[', limits)).toEqual(['depth', 7]);
  });

  it('bound its values, keys not counted', () => {
    const limits = { maxDepth: 3, maxValues: 4 };
    expect(reasonOf('{"a":1,"b":[2]}', limits)).toBe('taken');
    expect(reasonOf('[1,2,3,', limits)).toBe('taken');
    expect(reasonOf('[1,2,3,"x', limits)).toEqual(['values', 7]);
  });
});

describe('the beginning of a text', () => {
  it.each([
    ['abcdef', 4, 'abcd'],
    ['abc', 4, 'abc'],
    ['aé€😀', 4, 'aé'],
    ['a\\n\\u00e9bc', 4, 'a\n'],
    ['a\\n\\u00e9bc', 9, 'a\né'],
    ['\\\\\\"x', 3, '\\'],
  ])('of %j within %d bytes is %j', (text, maxBytes, expected) => {
    const bytes = Buffer.from(text);
    const span = { start: 0, end: bytes.length, escaped: text.includes('\\') };
    expect(beginningOf(bytes, span, maxBytes)).toBe(expected);
  });

  it('is cut between two characters or escapes wherever the limit falls', () => {
    const parts = fc.constantFrom('a', 'u', 'é', '€', '😀', '\\n', '\\\\', '\\"', '\\u0041', '\\u00e9');
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 12 }), (text) => {
        const bytes = Buffer.from(text.join(''));
        const span = { start: 0, end: bytes.length, escaped: true };
        let [begun, within] = ['', 0];
        for (const part of [...text, '']) {
          const next = within + Buffer.byteLength(part);
          for (let limit = within; limit < Math.max(next, within + 1); limit += 1)
            expect(beginningOf(bytes, span, limit)).toBe(JSON.parse(`"${begun}"`));
          [begun, within] = [begun + part, next];
        }
      }),
    );
  });
});
