import { isUtf8 } from 'node:buffer';
import { JsonFault } from './json-fault.ts';

/**
 * Checks that a growing text is UTF-8, each byte once; a character may arrive in pieces. One that never gets complete is
 * not found here: no JSON text can end in it.
 */
export class Utf8Check {
  #checked = 0;

  /** @throws JsonFault `encoding` */
  advance(bytes: Buffer, end: number): void {
    const complete = end - unfinished(bytes, this.#checked, end);
    if (complete <= this.#checked) return;
    const text =
      this.#checked === 0 && complete === bytes.length ? bytes : bytes.subarray(this.#checked, complete);
    if (!isUtf8(text)) throw new JsonFault('encoding', firstFault(bytes, this.#checked, complete));
    this.#checked = complete;
  }
}

/** Where the first character stands that is none. What is before it is UTF-8, wherever it ends. */
function firstFault(bytes: Buffer, start: number, end: number): number {
  let [valid, invalid] = [start, end];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    const complete = middle - unfinished(bytes, start, middle);
    if (isUtf8(bytes.subarray(start, complete))) valid = middle;
    else invalid = middle;
  }
  return valid - unfinished(bytes, start, valid);
}

/** How many bytes at the end belong to a character of which more is to come. */
function unfinished(bytes: Buffer, start: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= start; back += 1) {
    const byte = bytes[end - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
