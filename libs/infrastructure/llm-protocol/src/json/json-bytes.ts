const [SPACE, TAB, LF, CR] = [0x20, 0x09, 0x0a, 0x0d];
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Where a text begins: hosts send white space for minutes to keep a connection open, and some a byte order mark. */
export function firstByte(bytes: Buffer): number {
  let at =
    bytes[0] === BYTE_ORDER_MARK[0] && bytes.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/** The place of the last byte that is no white space; -1 if there is none. */
export function lastByte(bytes: Buffer): number {
  let at = bytes.length - 1;
  while (isSpace(bytes[at])) at -= 1;
  return at;
}

/** Whether it is white space of JSON. */
export function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === LF || byte === CR;
}
