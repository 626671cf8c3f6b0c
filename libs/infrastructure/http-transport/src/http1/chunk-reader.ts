import { badResponse } from './bad-response.ts';

const [CR, LF, COLON, SEMICOLON, SPACE, TAB, DEL] = [0x0d, 0x0a, 0x3a, 0x3b, 0x20, 0x09, 0x7f];
/** 2^52 bytes at most: what can be counted without loss. */
const MOST_DIGITS = 13;
/** Of extensions and trailers, which nobody reads, for one body. */
const MOST_IGNORED_BYTES = 16 * 1024;

/** Of the name of a trailer. */
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;

const SIZE = 0;
const BLANKS = 1;
const EXTENSION = 2;
const SIZE_END = 3;
const DATA = 4;
const DATA_END = 5;
const DATA_LINE_END = 6;
const TRAILER = 7;
const TRAILER_NAME = 8;
const TRAILER_LINE = 9;
const TRAILER_END = 10;
const LAST_LINE_END = 11;
const OVER = 12;

/** Takes the chunks of a body (RFC 9112, 7.1) out of their frames. */
export class ChunkReader {
  #stage = SIZE;
  #size = 0;
  #digits = 0;
  #ignored = 0;
  /** Where the bytes of the body begin and end that {@link read} has found. */
  start = 0;
  end = 0;

  /** The last chunk and what follows it are here. */
  get isOver(): boolean {
    return this.#stage === OVER;
  }

  /**
   * Reads a piece of the body from a place on, and moves what the chunks in it hold together to where the first began, between
   * {@link start} and {@link end}: many small events come in one piece then.
   * @returns where the body is over, or the length of the piece.
   * @throws HTTPParserError where no chunk can be.
   */
  read(piece: Buffer, from: number): number {
    this.start = this.end = from;
    let at = from;
    while (at < piece.length && this.#stage !== OVER) {
      if (this.#stage === DATA) at = this.#takeData(piece, at);
      else this.#takeFrame(piece[at++] as number);
    }
    return at;
  }

  #takeData(piece: Buffer, at: number): number {
    const end = Math.min(at + this.#size, piece.length);
    if (this.start === this.end) this.start = this.end = at;
    // What was in between was a frame, and is read.
    if (this.end !== at) piece.copyWithin(this.end, at, end);
    this.end += end - at;
    this.#size -= end - at;
    if (this.#size === 0) this.#stage = DATA_END;
    return end;
  }

  #takeFrame(byte: number): void {
    switch (this.#stage) {
      case SIZE:
        return this.#takeSize(byte);
      case BLANKS:
        return this.#takeBehindSize(byte);
      case EXTENSION:
        if (byte === CR) this.#stage = SIZE_END;
        else this.#ignore(byte);
        return;
      case SIZE_END:
        return this.#endSize(byte);
      case DATA_END:
        return this.#expect(byte, CR, DATA_LINE_END);
      case DATA_LINE_END:
        return this.#expect(byte, LF, SIZE);
      case TRAILER:
        if (byte === CR) this.#stage = LAST_LINE_END;
        else this.#takeName(byte);
        return;
      case TRAILER_NAME:
        if (byte === COLON) this.#stage = TRAILER_LINE;
        else this.#takeName(byte);
        return;
      case TRAILER_LINE:
        if (byte === CR) this.#stage = TRAILER_END;
        else this.#ignore(byte);
        return;
      case TRAILER_END:
        return this.#expect(byte, LF, TRAILER);
      default:
        return this.#expect(byte, LF, OVER);
    }
  }

  #takeSize(byte: number): void {
    const digit = digitOf(byte);
    if (digit !== -1) {
      this.#digits += 1;
      if (this.#digits > MOST_DIGITS) throw badResponse('a chunk of a size that cannot be');
      this.#size = this.#size * 16 + digit;
    } else if (this.#digits === 0) throw badResponse('a chunk without a size');
    else this.#takeBehindSize(byte);
  }

  /** Some servers fill the size up with blanks; anything else behind them may be a part of it or not. */
  #takeBehindSize(byte: number): void {
    if (byte === CR) this.#stage = SIZE_END;
    else if (byte === SEMICOLON) this.#stage = EXTENSION;
    else if (byte !== SPACE && byte !== TAB) throw badResponse('a chunk without a size');
    else {
      this.#stage = BLANKS;
      this.#ignore(byte);
    }
  }

  #takeName(byte: number): void {
    if (!TOKEN.test(String.fromCharCode(byte))) throw badResponse('a trailer that is none');
    this.#stage = TRAILER_NAME;
    this.#ignore(byte);
  }

  #endSize(byte: number): void {
    this.#expect(byte, LF, this.#size === 0 ? TRAILER : DATA);
    this.#digits = 0;
  }

  #expect(byte: number, expected: number, next: number): void {
    if (byte !== expected) throw badResponse('a chunk that does not end where it should');
    this.#stage = next;
  }

  #ignore(byte: number): void {
    this.#ignored += 1;
    if (this.#ignored > MOST_IGNORED_BYTES) throw badResponse('an endless frame of a chunk');
    if ((byte < SPACE && byte !== TAB) || byte === DEL) throw badResponse('bytes that no frame has');
  }
}

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
