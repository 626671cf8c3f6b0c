import { JsonFault, type JsonLimits } from './json-fault.ts';
import { JsonNumber } from './json-number.ts';
import type { JsonKind, JsonToken, JsonVisitor } from './json-visitor.ts';
import { Utf8Check } from './utf8-check.ts';

/** What may come next. From {@link STRING} on the scanner is inside of something. */
const VALUE = 0;
const VALUE_OR_END = 1;
const KEY_OR_END = 2;
const KEY = 3;
const COLON = 4;
const COMMA_OR_END = 5;
const NOTHING = 6;
const STRING = 7;
const ESCAPE = 8;
const NUMBER = 9;
const LITERAL = 10;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const LITERALS: Readonly<Record<number, 'true' | 'false' | 'null'>> = {
  0x74: 'true',
  0x66: 'false',
  0x6e: 'null',
};

/** What may follow a backslash, but for `u`. */
const SIMPLE_ESCAPES = new Uint8Array(256);
for (const letter of '"\\/bfnrt') SIMPLE_ESCAPES[letter.charCodeAt(0)] = 1;
/** Bytes at which a string ends, escapes or is wrong. */
const STOPS = new Uint8Array(256).fill(1, 0, 0x20);
STOPS[QUOTE] = 1;
STOPS[BACKSLASH] = 1;
const HEX_DIGITS = new Uint8Array(256);
for (const digit of '0123456789abcdefABCDEF') HEX_DIGITS[digit.charCodeAt(0)] = 1;

/**
 * Validates a JSON text while it arrives, without building values: each byte is looked at once, in the buffer that the
 * text grows in. Accepts what `JSON.parse` accepts of strictly decoded UTF-8 (no byte order mark), within the limits.
 */
export class JsonScanner {
  readonly #utf8 = new Utf8Check();
  readonly #number = new JsonNumber();
  /** For each open container whether it is an object. */
  readonly #isObject: boolean[] = [];
  readonly #token: { -readonly [Field in keyof JsonToken]: JsonToken[Field] };
  #state = VALUE;
  #position = 0;
  #values = 0;
  #inKey = false;
  /** How much of an escape or literal has come. */
  #progress = 0;
  #literal: 'true' | 'false' | 'null' = 'null';

  constructor(
    private readonly visitor: JsonVisitor,
    private readonly limits: JsonLimits,
  ) {
    this.#token = { kind: 'null', start: 0, end: 0, escaped: false, depth: 0 };
  }

  /**
   * Goes on to `end`. The bytes before the last call's end must be the same as then, in this buffer or another.
   * @throws JsonFault and what the visitor throws; nothing can be read after either.
   */
  advance(bytes: Buffer, end: number): void {
    this.#utf8.advance(bytes, end);
    while (this.#position < end) {
      if (this.#state === STRING) this.#readString(bytes, end);
      else if (this.#state === NUMBER) this.#readNumber(bytes, end);
      else if (this.#state === ESCAPE) this.#readEscape(bytes, end);
      else if (this.#state === LITERAL) this.#readLiteral(bytes, end);
      else this.#readStructure(bytes, end);
    }
  }

  /** To be called when all has come. @throws JsonFault when that is no complete JSON text. */
  finish(bytes: Buffer): void {
    if (this.#state === NUMBER) this.#endNumber(bytes);
    if (this.#state !== NOTHING) throw this.#fault('syntax');
  }

  #readStructure(bytes: Buffer, end: number): void {
    while (this.#position < end && this.#state < STRING) {
      const byte = bytes[this.#position] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)
        this.#readPunctuation(byte, bytes);
      this.#position += 1;
    }
  }

  #readPunctuation(byte: number, bytes: Buffer): void {
    const state = this.#state;
    if (state === VALUE) this.#beginValue(byte, bytes);
    else if (state === COMMA_OR_END && byte === 0x2c) this.#state = this.#inObject() ? KEY : VALUE;
    else if (state === COLON && byte === 0x3a) this.#state = VALUE;
    else if ((state === KEY || state === KEY_OR_END) && byte === QUOTE) this.#beginString(true);
    else if (state === VALUE_OR_END && byte !== 0x5d) this.#beginValue(byte, bytes);
    else if (state === VALUE_OR_END || state === KEY_OR_END || state === COMMA_OR_END)
      this.#closeContainer(byte, bytes);
    else throw this.#fault('syntax');
  }

  #beginValue(byte: number, bytes: Buffer): void {
    this.#values += 1;
    if (this.#values > this.limits.maxValues) throw this.#fault('values');
    if (byte === QUOTE) this.#beginString(false);
    else if (byte === 0x7b) this.#openContainer('object', bytes);
    else if (byte === 0x5b) this.#openContainer('array', bytes);
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      this.#number.begin(byte);
      this.#begin('number', NUMBER);
    } else {
      const literal = LITERALS[byte];
      if (literal === undefined) throw this.#fault('syntax');
      this.#literal = literal;
      this.#progress = 1;
      this.#begin(literal, LITERAL);
    }
  }

  #begin(kind: JsonKind, state: number): void {
    const token = this.#token;
    token.kind = kind;
    token.start = this.#position;
    token.escaped = false;
    this.#state = state;
  }

  #beginString(isKey: boolean): void {
    this.#inKey = isKey;
    this.#begin('string', STRING);
    this.#token.start += 1;
  }

  #openContainer(kind: 'object' | 'array', bytes: Buffer): void {
    const { depth } = this.#token;
    if (depth === this.limits.maxDepth) throw this.#fault('depth');
    this.#begin(kind, kind === 'object' ? KEY_OR_END : VALUE_OR_END);
    this.visitor.open(this.#token, bytes);
    this.#isObject[depth] = kind === 'object';
    this.#token.depth = depth + 1;
  }

  #closeContainer(byte: number, bytes: Buffer): void {
    const isObject = this.#inObject();
    if (byte !== (isObject ? 0x7d : 0x5d)) throw this.#fault('syntax');
    const token = this.#token;
    token.kind = isObject ? 'object' : 'array';
    token.depth -= 1;
    token.end = this.#position + 1;
    token.escaped = false;
    this.visitor.close(token, bytes);
    this.#endValue();
  }

  #inObject(): boolean {
    return this.#isObject[this.#token.depth - 1] === true;
  }

  #endValue(): void {
    this.#state = this.#token.depth === 0 ? NOTHING : COMMA_OR_END;
  }

  #readString(bytes: Buffer, end: number): void {
    let position = this.#position;
    for (;;) {
      position = skipPlain(bytes, position, end);
      if (position === end) break;
      const byte = bytes[position] as number;
      if (byte === QUOTE) return this.#endString(bytes, position);
      if (byte !== BACKSLASH) throw this.#fault('syntax', position);
      this.#token.escaped = true;
      if (position + 1 === end || SIMPLE_ESCAPES[bytes[position + 1] as number] === 0) {
        this.#state = ESCAPE;
        this.#progress = 0;
        position += 1;
        break;
      }
      position += 2;
    }
    this.#position = position;
  }

  #endString(bytes: Buffer, quote: number): void {
    this.#token.end = quote;
    this.#position = quote + 1;
    if (this.#inKey) {
      this.#state = COLON;
      this.visitor.key(this.#token, bytes);
    } else {
      this.#endValue();
      this.visitor.scalar(this.#token, bytes);
    }
  }

  /** After a backslash: one letter, or `u` and four hexadecimal digits. */
  #readEscape(bytes: Buffer, end: number): void {
    while (this.#position < end) {
      const byte = bytes[this.#position] as number;
      const isSimple = this.#progress === 0 && SIMPLE_ESCAPES[byte] === 1;
      const fits = this.#progress === 0 ? byte === 0x75 : HEX_DIGITS[byte] === 1;
      if (!isSimple && !fits) throw this.#fault('syntax');
      this.#progress += 1;
      this.#position += 1;
      if (isSimple || this.#progress === 5) {
        this.#state = STRING;
        return;
      }
    }
  }

  #readNumber(bytes: Buffer, end: number): void {
    this.#position = this.#number.read(bytes, this.#position, end);
    if (this.#position < end) this.#endNumber(bytes);
  }

  #endNumber(bytes: Buffer): void {
    if (!this.#number.complete) throw this.#fault('syntax');
    this.#endScalar(bytes);
  }

  #readLiteral(bytes: Buffer, end: number): void {
    const literal = this.#literal;
    while (this.#position < end && this.#progress < literal.length) {
      if (bytes[this.#position] !== literal.charCodeAt(this.#progress)) throw this.#fault('syntax');
      this.#progress += 1;
      this.#position += 1;
    }
    if (this.#progress === literal.length) this.#endScalar(bytes);
  }

  #endScalar(bytes: Buffer): void {
    this.#token.end = this.#position;
    this.#endValue();
    this.visitor.scalar(this.#token, bytes);
  }

  #fault(reason: JsonFault['reason'], offset = this.#position): JsonFault {
    return new JsonFault(reason, offset);
  }
}

/** The first byte from here on at which a string ends, escapes or is wrong. Four at a time: images are long strings. */
function skipPlain(bytes: Buffer, from: number, end: number): number {
  let position = from;
  for (; position + 4 <= end; position += 4) {
    const stop =
      (STOPS[bytes[position] as number] as number) |
      (STOPS[bytes[position + 1] as number] as number) |
      (STOPS[bytes[position + 2] as number] as number) |
      (STOPS[bytes[position + 3] as number] as number);
    if (stop !== 0) break;
  }
  while (position < end && STOPS[bytes[position] as number] === 0) position += 1;
  return position;
}
