import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { type ResponseBody, TransportError } from '@morgan/http-transport';
import { firstByte, lastByte } from '../dialects/json-bytes.ts';
import { brokenResponse } from './call-error.ts';
import { bytesOf, type HostResponseBody } from './whole-body.ts';

const CLOSING_OF: ReadonlyMap<number | undefined, number> = new Map([
  [0x7b, 0x7d],
  [0x5b, 0x5d],
]);

/**
 * A JSON that is too long to be held. A proxy may give one that its own host broke off a clean end: what does not end as
 * it began breaks for its reader as well.
 */
export class LongJsonBody extends Transform implements HostResponseBody {
  #closing: number | undefined;
  #last: number | undefined;
  #hasBegun = false;

  constructor(source: ResponseBody) {
    super();
    // A fault may come while nobody listens yet; it must not end the process. Late readers meet it in `errored`.
    this.on('error', () => undefined);
    pipeline(source, this, () => undefined);
  }

  bytes(limitBytes?: number): Promise<Buffer> {
    return bytesOf(this, limitBytes);
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const first = this.#hasBegun ? undefined : chunk[firstByte(chunk)];
    if (first !== undefined) {
      this.#hasBegun = true;
      this.#closing = CLOSING_OF.get(first);
    }
    this.#last = chunk[lastByte(chunk)] ?? this.#last;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const isWhole = this.#closing === undefined || this.#last === this.#closing;
    done(isWhole ? null : brokenResponse(new TransportError('incomplete_body', false)));
  }
}
