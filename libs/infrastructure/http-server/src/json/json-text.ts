/** The span of a string, between its quotes. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
  readonly escaped: boolean;
}

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** Bytes of `\uXXXX`. */
const LONGEST_ESCAPE = 6;
/** What letters behind a backslash stand for that do not stand for themselves. */
const CONTROLS = new Map(
  ['b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);

/** The text of a string that the scanner has found. */
export function textOf(bytes: Buffer, { start, end, escaped }: JsonSpan): string {
  const text = bytes.toString('utf8', start, end);
  return escaped ? (JSON.parse(`"${text}"`) as string) : text;
}

/** The text's beginning, of at most so many bytes of the body, cut between two characters. */
export function beginningOf(bytes: Buffer, { start, end, escaped }: JsonSpan, maxBytes: number): string {
  const cut = end - start <= maxBytes ? end : characterStart(bytes, start, start + maxBytes);
  return textOf(bytes, { start, end: cut, escaped });
}

/** The text in pieces of about so many bytes of the body, each cut between two characters. */
export function* piecesOf(bytes: Buffer, { start, end, escaped }: JsonSpan, size: number): Generator<string> {
  for (let from = start; from < end;) {
    const to = from + size < end ? characterStart(bytes, from, from + size) : end;
    yield textOf(bytes, { start: from, end: to, escaped });
    from = to;
  }
}

/** Whether a string is exactly this ASCII text. Looks no further than to the first difference: a key may have megabytes. */
export function isText(bytes: Buffer, { start, end, escaped }: JsonSpan, text: string): boolean {
  if (!escaped && end - start !== text.length) return false;
  let at = start;
  for (let index = 0; index < text.length; index += 1) {
    const isEscape = bytes[at] === BACKSLASH;
    if (at === end || (isEscape ? escapedAt(bytes, at) : bytes[at]) !== text.charCodeAt(index)) return false;
    at += isEscape ? escapeLength(bytes, at) : 1;
  }
  return at === end;
}

function escapeLength(bytes: Buffer, backslash: number): number {
  return bytes[backslash + 1] === LETTER_U ? LONGEST_ESCAPE : 2;
}

/** The code of the character that an escape stands for. */
function escapedAt(bytes: Buffer, backslash: number): number | undefined {
  const letter = bytes[backslash + 1] as number;
  if (letter === LETTER_U) return Number.parseInt(bytes.toString('latin1', backslash + 2, backslash + 6), 16);
  return CONTROLS.get(letter) ?? letter;
}

/**
 * The last place up to `limit` at which a character or an escape begins, seen from one that is such a place. Found from the
 * limit backwards: from the front it would be a look at every byte of a text of megabytes.
 */
function characterStart(bytes: Buffer, from: number, limit: number): number {
  let start = limit;
  while (start > from && isContinuation(bytes[start] as number)) start -= 1;
  for (let at = start - 1; at >= from && at > start - LONGEST_ESCAPE; at -= 1) {
    if (bytes[at] !== BACKSLASH) continue;
    return at + escapeLength(bytes, at) > start && beginsEscape(bytes, from, at) ? at : start;
  }
  return start;
}

/** Whether a byte of UTF-8 goes on with a character. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Whether this backslash is not the second one of an escape. */
function beginsEscape(bytes: Buffer, from: number, backslash: number): boolean {
  let first = backslash;
  while (first > from && bytes[first - 1] === BACKSLASH) first -= 1;
  return (backslash - first) % 2 === 0;
}
