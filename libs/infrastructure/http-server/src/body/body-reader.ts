import type { Readable } from 'node:stream';
import { AppError } from '@morgan/foundation';
import { JsonFault, type JsonLimits } from '../json/json-fault.ts';
import { JsonScanner } from '../json/json-scanner.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { BodyCharge } from './body-charge.ts';
import { decoderOf, notDecodable } from './body-decoder.ts';
import type { BodyAssembly, BodyFormat } from './body-format.ts';
import type { ContentEncoding } from './media-type.ts';
import { UploadPace, type UploadPaceOptions } from './upload-pace.ts';

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Read of a body before everybody else has a turn; a socket would hand over 2 MB at once, half a million values. */
const TURN_BYTES = 256 * 1024;

/** What a body is read with. */
export interface BodyReaderOptions {
  readonly format: BodyFormat;
  /** What of the memory for bodies the call holds; raised where the body turns out longer. */
  readonly charge: BodyCharge;
  readonly encoding: ContentEncoding;
  /** Its `content-length`, if that is the length of the JSON text. */
  readonly declared: number | undefined;
  /** The most bytes of JSON text, after decoding. */
  readonly limitBytes: number;
  readonly json: JsonLimits;
  readonly pace: UploadPaceOptions;
}

/** Takes the result: an error, or the body. Not called when the caller has left: nobody is there to be answered. */
export type BodyDone = (error: AppError | null, body?: unknown) => void;

/**
 * Reads one body. JSON is checked as it comes, and the first fault ends the reading: nothing is built from a body that
 * is not complete, valid and within its limits.
 */
export class BodyReader {
  readonly #buffer: BodyBuffer;
  readonly #assembly: BodyAssembly;
  readonly #scanner: JsonScanner;
  readonly #pace: UploadPace;
  #stopDecoding: () => void = () => undefined;
  #readInTurn = 0;
  #isOver = false;

  constructor(
    private readonly source: Readable,
    private readonly options: BodyReaderOptions,
    private readonly done: BodyDone,
  ) {
    this.#buffer = new BodyBuffer(options.declared, options.limitBytes);
    this.#assembly = options.format.begin();
    this.#scanner = new JsonScanner(this.#assembly.visitor, options.json);
    this.#pace = new UploadPace(options.pace, (error) => this.#fail(error));
  }

  start(): void {
    const { source } = this;
    source.on('error', this.#broken);
    source.once('close', this.#closed);
    source.on('data', this.#receive);
    source.once('end', this.#receivedAll);
    const { encoding } = this.options;
    if (encoding !== 'identity') this.#decode(encoding);
    // Most bodies are here by then, and need no watch.
    process.nextTick(() => {
      if (!this.#isOver && this.#buffer.length !== this.options.declared) this.#pace.start();
    });
  }

  /** Nobody listens to an abort: its charge is released with the response that nobody gets. */
  readonly #broken = (error: Error) => (error instanceof AppError ? this.#fail(error) : this.#stop());

  readonly #closed = () => {
    // After its end the decoder is still at work.
    if (!this.source.readableEnded) this.#stop();
  };

  /** One listener for all that has to be done with what comes: of most bodies one piece comes. */
  readonly #receive = (chunk: Buffer) => {
    this.#pace.received(chunk.length);
    if (this.options.encoding === 'identity') this.#read(chunk, this.source);
  };

  readonly #receivedAll = () => {
    this.#pace.stop();
    if (this.options.encoding === 'identity') this.#finish();
  };

  #decode(encoding: Exclude<ContentEncoding, 'identity'>): void {
    const decoder = decoderOf(encoding);
    decoder.on('error', (cause) => this.#fail(notDecodable(encoding, cause)));
    this.#stopDecoding = () => {
      this.source.unpipe(decoder);
      decoder.destroy();
    };
    decoder.on('data', (chunk: Buffer) => this.#read(chunk, decoder));
    decoder.once('end', () => this.#finish());
    this.source.pipe(decoder);
  }

  #read(chunk: Buffer, text: Readable): void {
    this.#take(chunk);
    this.#readInTurn += chunk.length;
    if (this.#readInTurn >= TURN_BYTES) this.#endTurn(text);
  }

  #endTurn(text: Readable): void {
    if (this.#isOver) return;
    text.pause();
    const goOn = () => {
      this.#readInTurn = 0;
      if (!this.#isOver) text.resume();
    };
    const waitMs = this.options.format.turns?.take() ?? 0;
    if (waitMs > 0) setTimeout(goOn, waitMs);
    else setImmediate(goOn);
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      const { limitBytes, charge } = this.options;
      if (this.#buffer.length + chunk.length > limitBytes) throw bodyTooLarge(limitBytes);
      charge.growTo(this.#buffer.capacityFor(chunk.length));
      this.#buffer.append(chunk);
      this.#scanner.advance(this.#buffer.bytes, this.#buffer.length);
    } catch (error) {
      this.#fail(error);
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    try {
      const bytes = this.#buffer.whole();
      if (bytes.length > 0) this.#scanner.finish(bytes);
      const body = bytes.length > 0 ? this.#assembly.finish(bytes) : undefined;
      if (body instanceof Promise) body.then(this.#deliver, (error: unknown) => this.#fail(error));
      else this.#deliver(body);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #deliver = (body: unknown) => {
    if (this.#isOver) return;
    this.#stop();
    // Of a request that lives as long as a stream nothing more is to come, and all that has read it would live as long.
    this.source.off('error', this.#broken).off('close', this.#closed);
    this.done(null, body);
  };

  #fail(error: unknown): void {
    if (this.#isOver) return;
    const explained = this.#explain(error);
    this.#stop();
    // What is left of the body is nobody's: it must not hold up the connection.
    this.source.resume();
    this.done(explained);
  }

  #stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pace.stop();
    this.source.off('data', this.#receive);
    this.#stopDecoding();
    this.#buffer.release();
  }

  #explain(error: unknown): AppError {
    if (error instanceof AppError) return error;
    if (!(error instanceof JsonFault))
      return new AppError('internal_error', 'Something went wrong in this service.', { cause: error });
    const { maxDepth, maxValues } = this.options.json;
    if (error.reason === 'depth')
      return new AppError('body_too_complex', `The request body is nested deeper than ${maxDepth} levels.`);
    if (error.reason === 'values')
      return new AppError('body_too_complex', `The request body has more than ${maxValues} values.`);
    return new AppError('invalid_json', `The request body is not valid JSON: ${this.#whereIs(error)}.`);
  }

  #whereIs({ reason, offset }: JsonFault): string {
    if (reason === 'encoding') return `it is not UTF-8 from byte ${offset}`;
    const hasMark =
      offset === 0 && this.#buffer.bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    return hasMark ? 'it begins with a byte order mark' : `the fault is at byte ${offset}`;
  }
}

/** The refusal of a body above the limit. */
export function bodyTooLarge(limitBytes: number): AppError {
  return new AppError(
    'request_too_large',
    `The request body is larger than the limit of ${limitBytes} bytes.`,
  );
}
