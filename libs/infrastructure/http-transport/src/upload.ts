import { Readable } from 'node:stream';

/** What a request can send: bytes that are here, or bytes that come. */
export type RequestBody = Buffer | AsyncIterable<Uint8Array | string>;

/** The most bytes that go to the socket at once, and so the step in which progress is seen. */
export const SLICE_BYTES = 64 * 1024;

/** What an {@link Upload} reports. */
interface UploadOptions {
  /** The longest time in which the other side takes no slice; null means no limit. */
  readonly writeTimeoutMs: number | null;
  readonly onStall: () => void;
  /** The source broke, or gave something that is not bytes. */
  readonly onSourceFault: (error: unknown) => void;
}

/**
 * A request body on its way out, slice by slice, nothing of it read ahead. A source that is slow has all the time it
 * needs; a receiver that is slow has `writeTimeoutMs` for each slice. No stream: undici would pipe it, and with HTTP/2
 * lose what of the response comes meanwhile.
 */
export class Upload implements AsyncIterable<Buffer> {
  readonly #options: UploadOptions;
  readonly #source: AsyncIterable<Uint8Array | string>;
  #chunks: AsyncIterator<Uint8Array | string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #watched = true;
  /** Slices that the socket has taken. */
  #taken = 0;
  #over = false;
  /** The time in which the source had nothing to give, in milliseconds, and since when it has not now. */
  #waitedMs = 0;
  #waitsSince: number | undefined;

  constructor(body: RequestBody, options: UploadOptions) {
    this.#options = options;
    this.#source = Buffer.isBuffer(body) ? only(body) : body;
    // A stream may break before its turn to be read comes.
    if (body instanceof Readable) body.on('error', options.onSourceFault);
  }

  /** How long the other side has had to wait for the source so far, in milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs + (this.#waitsSince === undefined ? 0 : performance.now() - this.#waitsSince);
  }

  /** From here on the response counts: a receiver that has answered need not take the rest. */
  unwatch(): void {
    clearTimeout(this.#timer);
    this.#watched = false;
  }

  /** Nothing more is sent; the source is closed. */
  destroy(): void {
    this.unwatch();
    this.#over = true;
    if (this.#source instanceof Readable) this.#source.destroy();
    else void this.#chunks?.return?.()?.catch(() => undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (let chunk = await this.#next(); chunk; chunk = await this.#next()) {
      for (let sent = 0; sent < chunk.length; sent += SLICE_BYTES) {
        const { writeTimeoutMs, onStall } = this.#options;
        if (this.#watched && writeTimeoutMs !== null) this.#limit(writeTimeoutMs, onStall);
        // It goes on when the socket has taken the slice.
        yield chunk.subarray(sent, sent + SLICE_BYTES);
        this.#taken += 1;
        clearTimeout(this.#timer);
        this.#throwIfOver();
      }
    }
  }

  /** Where our own event loop stood still, the slice may be gone and only not be heard of yet: that is looked at first. */
  #limit(ms: number, onStall: () => void): void {
    const taken = this.#taken;
    const look = () => {
      if (this.#watched && taken === this.#taken) onStall();
    };
    this.#timer = setTimeout(() => setImmediate(look), ms);
  }

  /** @returns nothing at the end of the source. */
  async #next(): Promise<Buffer | undefined> {
    this.#waitsSince = performance.now();
    try {
      this.#chunks ??= this.#source[Symbol.asyncIterator]();
      const next = await this.#chunks.next();
      if (!next.done) return bytesOf(next.value);
    } catch (error) {
      if (!this.#over) this.#options.onSourceFault(error);
    } finally {
      this.#waitedMs = this.waitedMs;
      this.#waitsSince = undefined;
    }
    this.#throwIfOver();
    return undefined;
  }

  /** An end would tell the other side that this was all. */
  #throwIfOver(): void {
    if (this.#over) throw new Error('the upload was given up');
  }
}

async function* only(body: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(body);
}

function bytesOf(chunk: Uint8Array | string): Buffer {
  return typeof chunk === 'string'
    ? Buffer.from(chunk)
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
