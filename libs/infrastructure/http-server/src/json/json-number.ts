/** States of RFC 8259's number grammar, named by what came last. */
const MINUS = 0;
const ZERO = 1;
const INTEGER = 2;
const POINT = 3;
const FRACTION = 4;
const EXPONENT = 5;
const SIGN = 6;
const POWER = 7;

/** No byte of a number can follow here. */
const NONE = 255;

const DIGIT = 0;
const NON_ZERO = 1;
const DOT = 2;
const E = 3;
const PLUS = 4;
const DASH = 5;
const CLASSES = 6;

const CLASS_OF = new Uint8Array(256).fill(NONE);
for (let byte = 0x31; byte <= 0x39; byte += 1) CLASS_OF[byte] = NON_ZERO;
for (const [text, kind] of [
  ['0', DIGIT],
  ['.', DOT],
  ['e', E],
  ['E', E],
  ['+', PLUS],
  ['-', DASH],
] as const)
  CLASS_OF[text.charCodeAt(0)] = kind;

const NEXT = new Uint8Array((POWER + 1) * CLASSES).fill(NONE);
const allow = (from: number, kinds: readonly number[], to: number) => {
  for (const kind of kinds) NEXT[from * CLASSES + kind] = to;
};
allow(MINUS, [DIGIT], ZERO);
allow(MINUS, [NON_ZERO], INTEGER);
allow(INTEGER, [DIGIT, NON_ZERO], INTEGER);
for (const from of [ZERO, INTEGER]) {
  allow(from, [DOT], POINT);
  allow(from, [E], EXPONENT);
}
for (const from of [POINT, FRACTION]) allow(from, [DIGIT, NON_ZERO], FRACTION);
allow(FRACTION, [E], EXPONENT);
allow(EXPONENT, [PLUS, DASH], SIGN);
for (const from of [EXPONENT, SIGN, POWER]) allow(from, [DIGIT, NON_ZERO], POWER);

/** One number that is read byte by byte. */
export class JsonNumber {
  #state = MINUS;

  /** @param first a digit or a minus sign. */
  begin(first: number): void {
    this.#state = first === 0x2d ? MINUS : first === 0x30 ? ZERO : INTEGER;
  }

  /** @returns the first position that is no longer part of the number. */
  read(bytes: Buffer, from: number, end: number): number {
    let state = this.#state;
    let position = from;
    while (position < end) {
      const kind = CLASS_OF[bytes[position] as number] as number;
      const next = kind === NONE ? NONE : (NEXT[state * CLASSES + kind] as number);
      if (next === NONE) break;
      state = next;
      position += 1;
    }
    this.#state = state;
    return position;
  }

  /** Whether it may end here. */
  get complete(): boolean {
    const state = this.#state;
    return state === ZERO || state === INTEGER || state === FRACTION || state === POWER;
  }
}
