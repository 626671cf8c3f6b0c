import { breakTransfer, type OutgoingResponse } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import type { Dialect, ResponseHead } from '../dialects/dialect.ts';

/** How a caller gets its stream. */
interface ClientStreamOptions {
  readonly dialect: Dialect;
  /** Writes status and headers; called once, when the first bytes leave. */
  readonly writeHead: () => void;
  /**
   * A comment, or the dialect's own sign of life, is sent after so much silence, in milliseconds, so that proxies do not
   * cut the connection.
   */
  readonly keepAliveMs: number;
  /**
   * After how long the first comment, and with it the status 200, is sent although no host has answered yet, in
   * milliseconds from now. Infinity: never.
   */
  readonly earlyKeepAliveMs: number;
  /** The caller does not take what was written, for now or at the end of the response. */
  readonly onFull?: () => void;
}

/**
 * How long a caller has for reading what went wrong before the transfer breaks. Bodies of `fetch` drop what their reader has
 * not taken yet when they break: with the error event would go the last of the text, and clients would tell of neither.
 */
const TIME_TO_READ_MS = 250;

/**
 * The caller's side of a stream. Whole events go in; it ends either as a complete response or visibly broken, by an error
 * event and a transfer without its end.
 */
export class ClientStream {
  /** Resolves when the caller has everything or is gone. */
  readonly closed: Promise<void>;
  /**
   * What a comment ends with. Where events have ids a blank line behind one is, for openai-python, an event without data, which
   * it takes for JSON.
   */
  commentEnd: '\n' | '\n\n' = '\n\n';
  readonly #response: OutgoingResponse;
  readonly #options: ClientStreamOptions;
  #pieces: Buffer[] = [];
  #hasBegun = false;
  #isOver = false;
  #lastWriteAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(response: OutgoingResponse, options: ClientStreamOptions) {
    this.#response = response;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      response.once('close', () => {
        this.#stop();
        resolve();
      });
    });
    if (options.earlyKeepAliveMs !== Infinity) this.#arm(options.earlyKeepAliveMs);
  }

  /** Whether status and headers have left: a failure can only be told in the stream from then on. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether the caller has stopped taking bytes for now; {@link onceDrained} tells when it goes on. */
  get isFull(): boolean {
    return this.#response.writableNeedDrain;
  }

  /** Whether it has ended, or the caller has left. */
  get isOver(): boolean {
    return this.#isOver || this.#response.closed;
  }

  /** Calls once, when what was written has been taken. */
  onceDrained(listener: () => void): void {
    this.#response.once('drain', listener);
  }

  /** Takes the bytes of whole events. They leave in one write with all others that come before {@link flush} or the end. */
  send(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }

  /** What was taken leaves now. */
  flush(): void {
    if (this.#pieces.length > 0) this.#write(this.#takePieces());
  }

  /** The response is whole. */
  complete(endMarker: Buffer | undefined): void {
    if (this.isOver) return;
    if (endMarker) this.#pieces.push(endMarker);
    this.#begin();
    this.#stop();
    // With what is left: one write, and the caller has the end with the last event.
    this.#response.end(this.#takePieces());
    if (this.#response.writableLength > 0) this.#options.onFull?.();
  }

  /** There is no stream after all: nothing is sent, and whoever has the response goes on with it. */
  release(): void {
    this.#stop();
  }

  /**
   * Tells the error in an event and breaks the transfer a moment after that has left, unless the dialect has an end for a response
   * that has failed.
   * @param sequence the place of the event.
   * @param failed the response, where it is known to have failed. Default: only its stream has.
   */
  fail(error: ReportedError, sequence: number, failed?: ResponseHead): void {
    if (this.isOver) return;
    this.flush();
    this.#begin();
    this.#stop();
    const response = this.#response;
    const { dialect } = this.#options;
    const event = dialect.errorEvent(error, sequence);
    const end = failed && dialect.failedEnd?.(error, sequence + 1, failed);
    if (end) response.end(Buffer.concat([event, end]));
    else response.write(event, () => this.#breakSoon());
    if (response.writableLength > 0) this.#options.onFull?.();
  }

  #breakSoon(): void {
    if (!this.#response.closed)
      this.#timer = setTimeout(() => breakTransfer(this.#response), TIME_TO_READ_MS);
  }

  #takePieces(): Buffer {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  #write(bytes: Buffer): void {
    if (this.isOver) return;
    this.#begin();
    if (!this.#response.write(bytes)) this.#options.onFull?.();
    this.#lastWriteAt = performance.now();
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#options.writeHead();
    this.#arm(this.#options.keepAliveMs);
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keepAlive(), ms);
  }

  #keepAlive(): void {
    const wait = this.#lastWriteAt + this.#options.keepAliveMs - performance.now();
    const isDue = wait <= 0 || !this.#hasBegun;
    const { keepAlive = Buffer.from(`: keep-alive${this.commentEnd}`) } = this.#options.dialect;
    if (isDue && !this.isFull) this.#write(keepAlive);
    this.#arm(isDue ? this.#options.keepAliveMs : wait);
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
