import type { Readable } from 'node:stream';
import { AppError, inTurn } from '@morgan/foundation';
import { BodyContent, type BodyContentOptions, MS_A_BYTE, SHORT_BYTES } from './body-content.ts';
import { decoderOf, notDecodable } from './body-decoder.ts';
import type { ContentEncoding } from './media-type.ts';
import type { ReadingTurns } from './reading-turns.ts';
import { UploadPace, type UploadPaceOptions } from './upload-pace.ts';

/** Read of a long body from one rest to the next. */
const BETWEEN_RESTS_BYTES = 256 * 1024;

/** What a body is read with. */
interface BodyReaderOptions extends BodyContentOptions {
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
  #arrivedBytes = 0;
  #sinceRest = 0;
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
    if (this.options.encoding === 'identity') this.#end();
  };

  #decode(encoding: Exclude<ContentEncoding, 'identity'>): void {
    const decoder = decoderOf(encoding);
    decoder.on('error', (cause) => this.#fail(notDecodable(encoding, cause)));
    this.#stopDecoding = () => {
      this.source.unpipe(decoder);
      decoder.destroy();
    };
    decoder.on('data', (chunk: Buffer) => this.#read(chunk, decoder));
    decoder.once('end', () => this.#end());
    this.source.pipe(decoder);
  }

  #read(chunk: Buffer, text: Readable): void {
    this.#arrivedBytes += chunk.length;
    if (this.#arrivedBytes <= SHORT_BYTES) return this.#take(chunk);
    const later = inTurn(() => {
      this.#take(chunk);
      this.#sinceRest += chunk.length;
      this.#goOn(text);
    }, chunk.length * MS_A_BYTE);
    if (later instanceof Promise) text.pause();
  }

  #goOn(text: Readable): void {
    if (this.#isOver) return;
    const { turns } = this.options.format;
    const restMs = turns && this.#sinceRest >= BETWEEN_RESTS_BYTES ? this.#rest(turns) : 0;
    if (restMs === 0) {
      text.resume();
      return;
    }
    text.pause();
    setTimeout(() => this.#isOver || text.resume(), restMs);
  }

  #rest(turns: ReadingTurns): number {
    this.#sinceRest = 0;
    return turns.take();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#content.take(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A stream may end while its last piece waits. */
  #end(): void {
    if (this.#arrivedBytes <= SHORT_BYTES) this.#finish();
    else void inTurn(() => this.#finish());
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
