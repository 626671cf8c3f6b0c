import { maxHeaderSize } from 'node:http';
import { errors } from 'undici';
import { badResponse } from './bad-response.ts';
import { ChunkReader } from './chunk-reader.ts';
import { readHead, type ResponseHead } from './response-head.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const BEGINNING = 'HTTP/1.';

/** Who hears of a response, in the order of its parts. */
export interface ResponseSink {
  /** Also of each response of status 1xx before the one that counts. */
  onHead(head: ResponseHead): void;
  onBody(bytes: Buffer): void;
}

/** Takes one response out of the bytes of a connection, wherever they are cut. */
export class ResponseParser {
  readonly #sink: ResponseSink;
  readonly #isHead: boolean;
  /** A head that is not whole yet. */
  #held: Buffer | undefined;
  #head: ResponseHead | undefined;
  /** Bytes of the body that are still to come, where they are counted. */
  #left = 0;
  #chunks: ChunkReader | undefined;
  #isWhole = false;

  /** @param isHead whether the response is one to HEAD, which has no body whatever it says. */
  constructor(sink: ResponseSink, isHead: boolean) {
    this.#sink = sink;
    this.#isHead = isHead;
  }

  /** Everything of the response is here. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** What stands in front of the body; none before it is whole. */
  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /**
   * Takes the next bytes, which are this parser's from then on.
   * @returns how many of them the response needs; more than that is none of it.
   * @throws HTTPParserError, or HeadersOverflowError, where they cannot be HTTP.
   */
  push(bytes: Buffer): number {
    if (this.#head) return this.#readBody(bytes, 0);
    const held = this.#held?.length ?? 0;
    const all = this.#held ? Buffer.concat([this.#held, bytes]) : bytes;
    this.#held = undefined;
    return this.#readHeads(all) - held;
  }

  /** The connection has ended. @returns whether that is how the response ends. */
  finish(): boolean {
    if (this.#head?.bodyLength === 'until close') this.#isWhole = true;
    return this.#isWhole;
  }

  #readHeads(bytes: Buffer): number {
    let at = 0;
    while (!this.#head) {
      const end = bytes.indexOf(HEAD_END, at);
      const length = (end === -1 ? bytes.length : end) - at;
      checkBeginning(bytes.toString('latin1', at, at + BEGINNING.length));
      if (length > maxHeaderSize) throw new errors.HeadersOverflowError();
      if (end === -1) {
        checkLines(bytes.toString('latin1', at));
        this.#held = bytes.subarray(at);
        return bytes.length;
      }
      const head = readHead(bytes.toString('latin1', at, end), this.#isHead);
      at = end + HEAD_END.length;
      if (head.status >= 200) this.#begin(head);
      this.#sink.onHead(head);
    }
    return this.#readBody(bytes, at);
  }

  #begin(head: ResponseHead): void {
    this.#head = head;
    const { bodyLength } = head;
    if (bodyLength === 'chunked') this.#chunks = new ChunkReader();
    else if (bodyLength === 'until close') this.#left = Infinity;
    else this.#left = bodyLength;
    this.#isWhole = bodyLength === 0;
  }

  #readBody(bytes: Buffer, from: number): number {
    const chunks = this.#chunks;
    if (this.#isWhole || from === bytes.length) return from;
    const to = chunks ? chunks.read(bytes, from) : Math.min(bytes.length, from + this.#left);
    const [start, end] = chunks ? [chunks.start, chunks.end] : [from, to];
    if (!chunks) this.#left -= to - from;
    this.#isWhole = chunks ? chunks.isOver : this.#left === 0;
    if (end > start)
      this.#sink.onBody(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    return to;
  }
}

/** Lines that end otherwise never make the empty one that is waited for. */
function checkLines(text: string): void {
  if (/[^\r]\n/.test(text)) throw badResponse('a line that ends without a carriage return');
}

function checkBeginning(text: string): void {
  if (!BEGINNING.startsWith(text)) throw badResponse('no status line');
}
