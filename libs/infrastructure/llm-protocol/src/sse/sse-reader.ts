import { Pieces } from '@morgan/foundation';
import { SseEvent } from './sse-event.ts';
import { StreamFault } from './stream-fault.ts';

const LF = 10;
const CR = 13;
const BLANK_LINE = Buffer.from('\n\n');
/** Smaller events than this have no parts that are worth counting, in bytes. */
const SIMPLE_BYTES = 64 * 1024;
/**
 * The most that an event may have of what begins a list, an object or the next value, wherever it stands: a JSON of nothing else
 * takes a hundred times as long to read as a text of the same length.
 */
const MOST_PARTS: readonly (readonly [part: string, most: number])[] = [
  ['[', 100_000],
  ['{', 100_000],
  [',', 500_000],
];
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/**
 * Cuts a body into server-sent events, whatever the pieces in which it comes (WHATWG HTML, "Parsing an event stream").
 * The events' bytes, one after the other and with {@link rest} at the end, are the bytes that came, but for line ends
 * behind the last and a byte order mark, which is one at the start only: a comment of ours may stand in front. Blank lines
 * in front of an event belong to it.
 */
export class SseReader {
  readonly #pending = new Pieces();
  #isAtLineStart = true;
  /** Nothing but line ends so far. */
  #isBlank = true;
  /** A line feed that comes next belongs to the line end before it. */
  #isAfterCr = false;
  #isFirst = true;

  /** @param maxEventBytes the most that one event may have; no more than this is ever kept. */
  constructor(private readonly maxEventBytes: number) {}

  /**
   * Hands out the events that this piece completes.
   * @throws StreamFault `event_too_large`, after the events before it were handed out.
   */
  push(chunk: Buffer, take: (event: SseEvent) => void): void {
    if (chunk.length === 0) return;
    const hasCr = chunk.includes(CR);
    let start = 0;
    let end = this.#findEnd(chunk, 0, hasCr);
    while (end >= 0) {
      this.#startOver(chunk[end - 1] === CR);
      take(new SseEvent(this.#complete(part(chunk, start, end))));
      start = end;
      end = this.#findEnd(chunk, start, hasCr);
    }
    if (start < chunk.length) this.#keep(part(chunk, start, chunk.length));
  }

  /** What came after the last whole event, as an event whose blank line is missing. None if nothing but line ends did. */
  rest(): SseEvent | undefined {
    if (this.#isBlank) return undefined;
    return new SseEvent(this.#complete(Buffer.alloc(0)));
  }

  #complete(last: Buffer): Buffer {
    this.#checkSize(this.#pending.length + last.length);
    const whole = this.#pending.length === 0 ? last : this.#join(last);
    if (whole.length > SIMPLE_BYTES) checkParts(whole);
    if (!this.#isFirst) return whole;
    this.#isFirst = false;
    const start = whole.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
      ? BYTE_ORDER_MARK.length
      : 0;
    return whole.subarray(start);
  }

  #join(last: Buffer): Buffer {
    this.#pending.push(last);
    const whole = this.#pending.whole();
    this.#pending.clear();
    return whole;
  }

  #keep(piece: Buffer): void {
    this.#checkSize(this.#pending.length + piece.length);
    this.#pending.push(piece);
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.maxEventBytes) return;
    const limit = `the limit of ${this.maxEventBytes} bytes`;
    throw new StreamFault('event_too_large', `An event of the stream is larger than ${limit}.`);
  }

  #startOver(isAfterCr: boolean): void {
    this.#isAtLineStart = true;
    this.#isBlank = true;
    this.#isAfterCr = isAfterCr;
  }

  /** Where the event that goes on at `start` ends, behind its blank line; -1 when this piece does not hold its end. */
  #findEnd(chunk: Buffer, start: number, hasCr: boolean): number {
    let at = start;
    if (this.#isAfterCr && at < chunk.length) {
      this.#isAfterCr = false;
      if (chunk[at] === LF) at += 1;
    }
    return hasCr ? this.#findAnyEnd(chunk, at) : this.#findPlainEnd(chunk, at);
  }

  /** Line feeds only: the search is native. */
  #findPlainEnd(chunk: Buffer, start: number): number {
    let at = start;
    for (; this.#isAtLineStart && chunk[at] === LF; at += 1) if (!this.#isBlank) return at + 1;
    if (at >= chunk.length) return -1;
    const found = chunk.indexOf(BLANK_LINE, at);
    if (found >= 0) return found + 2;
    this.#isBlank = false;
    this.#isAtLineStart = chunk[chunk.length - 1] === LF;
    return -1;
  }

  /** Carriage returns, alone or in pairs with line feeds. */
  #findAnyEnd(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) {
        this.#isAtLineStart = false;
        this.#isBlank = false;
        continue;
      }
      if (byte === CR && chunk[at + 1] === LF) at += 1;
      else this.#isAfterCr = byte === CR && at + 1 === chunk.length;
      if (this.#isAtLineStart && !this.#isBlank) return at + 1;
      this.#isAtLineStart = true;
    }
    return -1;
  }
}

/** Most pieces are one event, and a view of a whole costs more than finding that out. */
function part(chunk: Buffer, start: number, end: number): Buffer {
  return start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
}

/** @throws StreamFault `event_too_large` */
function checkParts(event: Buffer): void {
  for (const [part, most] of MOST_PARTS) {
    const code = part.charCodeAt(0);
    let count = 0;
    for (let at = event.indexOf(code); at !== -1; at = event.indexOf(code, at + 1)) {
      count += 1;
      if (count > most)
        throw new StreamFault(
          'event_too_large',
          `An event of the stream has more than ${most} times "${part}".`,
        );
    }
  }
}
