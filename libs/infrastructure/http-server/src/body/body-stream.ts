import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { AppError, inTurn } from '@morgan/foundation';
import { decoderOf, notDecodable } from './body-decoder.ts';
import { bodyTooLarge, MS_A_BYTE, SHORT_BYTES } from './body-content.ts';
import type { ContentEncoding } from './media-type.ts';
import { UploadPace, type UploadPaceOptions } from './upload-pace.ts';

/** What a body that is not held is read with. */
interface BodyStreamOptions {
  readonly encoding: ContentEncoding;
  /** Its `content-length`, if that is the length of what comes out of here. */
  readonly declared: number | undefined;
  /** The most bytes, after decoding. */
  readonly limitBytes: number;
  readonly pace: UploadPaceOptions;
}

/**
 * The body of a request as a stream, with back-pressure. It breaks with an AppError where the body is too large, too
 * slow or compressed in an unknown way, or the client has left.
 */
export class BodyStream extends Transform {
  /** How long it will be, where that is known. */
  readonly declared: number | undefined;
  readonly #source: IncomingMessage;
  readonly #text: Readable;
  readonly #limitBytes: number;
  readonly #pace: UploadPace;
  #length = 0;

  constructor(source: IncomingMessage, { encoding, declared, limitBytes, pace }: BodyStreamOptions) {
    super();
    this.declared = declared;
    this.#source = source;
    this.#limitBytes = limitBytes;
    this.#pace = new UploadPace(pace, (error) => this.destroy(error));
    this.#text = encoding === 'identity' ? source : source.pipe(decoderOf(encoding));
    // Whoever reads it meets its faults; until somebody does they must not end the process.
    this.on('error', () => undefined);
    source.on('data', this.#onReceived);
    source.once('end', () => this.#pace.stop());
    source.once('error', (cause) => this.destroy(cause instanceof AppError ? cause : callerLeft(cause)));
    source.once('close', () => source.readableEnded || this.destroy(callerLeft()));
    if (this.#text !== source)
      this.#text.once('error', (cause) => this.destroy(notDecodable(encoding, cause)));
    this.#text.pipe(this);
    this.#pace.start();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#length += chunk.length;
    if (this.#length > this.#limitBytes) done(bodyTooLarge(this.#limitBytes));
    else if (this.#length <= SHORT_BYTES) done(null, chunk);
    // Whoever reads it looks at every byte.
    else void inTurn(() => this.destroyed || done(null, chunk), chunk.length * MS_A_BYTE);
  }

  /** What is left of the body is nobody's; whoever answers sees to the connection. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#pace.stop();
    this.#source.off('data', this.#onReceived);
    this.#text.unpipe(this);
    if (this.#text !== this.#source) {
      this.#source.unpipe();
      this.#text.destroy();
    }
    callback(error);
  }

  readonly #onReceived = (chunk: Buffer): void => this.#pace.received(chunk.length);
}

function callerLeft(cause?: Error): AppError {
  return new AppError('client_closed_request', 'The client went away.', { cause });
}
