/** The span of a string, between its quotes. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
  readonly escaped: boolean;
}

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

/** Whether a string is exactly this ASCII text. */
export function isText(bytes: Buffer, span: JsonSpan, text: string): boolean {
  if (span.escaped) return textOf(bytes, span) === text;
  if (span.end - span.start !== text.length) return false;
  for (let index = 0; index < text.length; index += 1)
    if (bytes[span.start + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** The last place up to `limit` at which a character or an escape begins, seen from one that is such a place. */
function characterStart(bytes: Buffer, from: number, limit: number): number {
  let start = from;
  for (let next = from; next <= limit; next += characterLength(bytes, next)) start = next;
  return start;
}

/** Bytes of the character or escape that begins here. */
function characterLength(bytes: Buffer, at: number): number {
  const byte = bytes[at] as number;
  if (byte === 0x5c) return bytes[at + 1] === 0x75 ? 6 : 2;
  return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}
