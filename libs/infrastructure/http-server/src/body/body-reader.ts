import type { Readable } from 'node:stream';
import { AppError } from '@morgan/foundation';
import { BodyContent, type BodyContentOptions } from './body-content.ts';
import { decoderOf, notDecodable } from './body-decoder.ts';
import type { ContentEncoding } from './media-type.ts';
import { UploadPace, type UploadPaceOptions } from './upload-pace.ts';

/** Read of a body before everybody else has a turn; a socket would hand over 2 MB at once, half a million values. */
const TURN_BYTES = 256 * 1024;

/** What a body is read with. */
export interface BodyReaderOptions extends BodyContentOptions {
  readonly encoding: ContentEncoding;
  readonly pace: UploadPaceOptions;
}

/** Takes the result: an error, or the body. Not called when the caller has left: nobody is there to be answered. */
export type BodyDone = (error: AppError | null, body?: unknown) => void;

/** Reads one body as it comes: the first fault ends the reading. */
export class BodyReader {
  readonly #content: BodyContent;
  readonly #pace: UploadPace;
  #stopDecoding: () => void = () => undefined;
  #readInTurn = 0;
  #isOver = false;

  constructor(
    private readonly source: Readable,
    private readonly options: BodyReaderOptions,
    private readonly done: BodyDone,
  ) {
    this.#content = new BodyContent(options);
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
      if (!this.#isOver && this.#content.length !== this.options.declared) this.#pace.start();
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
      this.#content.take(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    try {
      const body = this.#content.finish();
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
    const explained = this.#content.explain(error);
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
    this.#content.release();
  }
}
