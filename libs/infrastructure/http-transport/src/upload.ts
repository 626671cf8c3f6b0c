import { Readable } from 'node:stream';

/** What a request can send: bytes that are here, or bytes that come. */
export type RequestBody = Buffer | AsyncIterable<Uint8Array | string>;

/** The most bytes that go to the socket at once, and so the step in which progress is seen. */
export const SLICE_BYTES = 64 * 1024;

/** What an {@link Upload} reports. */
export interface UploadOptions {
  /** The longest time in which the other side takes no slice; null means no limit. */
  readonly writeTimeoutMs: number | null;
  readonly onStall: () => void;
  /** The source broke, or gave something that is not bytes. */
  readonly onSourceFault: (error: unknown) => void;
}

/**
 * A request body on its way out, slice by slice, read ahead by one slice at most. A source that is slow has all the
 * time it needs; a receiver that is slow has `writeTimeoutMs` for each slice. Destroying it destroys its source.
 */
export class Upload extends Readable {
  readonly #source: AsyncIterable<Uint8Array | string> | undefined;
  readonly #options: UploadOptions;
  #chunks: AsyncIterator<Uint8Array | string> | undefined;
  #rest: Buffer;
  #timer: NodeJS.Timeout | undefined;
  #watched = true;

  constructor(body: RequestBody, options: UploadOptions) {
    super({ highWaterMark: SLICE_BYTES });
    this.#options = options;
    this.#source = Buffer.isBuffer(body) ? undefined : body;
    this.#rest = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    // Who fails is told by the callbacks; nobody else has to listen.
    this.on('error', ignore);
    // A stream may break before its turn to be read comes.
    if (this.#source instanceof Readable) this.#source.on('error', options.onSourceFault);
  }

  /** From here on the answer counts: a receiver that has answered need not take the rest. */
  unwatch(): void {
    clearTimeout(this.#timer);
    this.#watched = false;
  }

  override _read(): void {
    clearTimeout(this.#timer);
    if (this.#rest.length > 0) this.#pushSlice();
    else void this.#pull();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.unwatch();
    if (this.#source instanceof Readable) this.#source.destroy();
    else void this.#chunks?.return?.()?.catch(ignore);
    callback(error);
  }

  async #pull(): Promise<void> {
    try {
      while (this.#rest.length === 0) {
        this.#chunks ??= this.#source?.[Symbol.asyncIterator]();
        const next = await this.#chunks?.next();
        if (this.destroyed) return;
        if (!next || next.done) return void this.push(null);
        this.#rest = bytesOf(next.value);
      }
      this.#pushSlice();
    } catch (error) {
      if (!this.destroyed) this.#options.onSourceFault(error);
    }
  }

  #pushSlice(): void {
    const slice = this.#rest.subarray(0, SLICE_BYTES);
    this.#rest = this.#rest.subarray(SLICE_BYTES);
    const { writeTimeoutMs, onStall } = this.#options;
    if (this.#watched && writeTimeoutMs !== null) this.#timer = setTimeout(onStall, writeTimeoutMs);
    this.push(slice);
  }
}

function bytesOf(chunk: Uint8Array | string): Buffer {
  return typeof chunk === 'string'
    ? Buffer.from(chunk)
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function ignore(): void {}
