import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { Pieces } from '@morgan/foundation';
import { type ResponseBody, TransportError } from '@morgan/http-transport';
import { bytesOf, fieldsOf, firstByte, type HostResponseBody, lastByte } from '@morgan/llm-protocol';
import { brokenResponse } from './broken-response.ts';

const CLOSING_OF: ReadonlyMap<number | undefined, number> = new Map([
  [0x7b, 0x7d],
  [0x5b, 0x5d],
]);

/** In bytes: the id of a response is within its head, and `usage` within its tail, as only tools and metadata follow it. */
const HEAD_BYTES = 4_096;
const TAIL_BYTES = 65_536;
const USAGE = '"usage"';
const QUOTE = 0x22;

/**
 * A JSON that is too long to be held. A proxy may give one that its own host broke off a clean end: what does not end as
 * it began breaks for its reader as well.
 */
export class LongJsonBody extends Transform implements HostResponseBody {
  #closing: number | undefined;
  #last: number | undefined;
  #hasBegun = false;
  #head: Buffer | undefined;
  /** The latest bytes are in these two: each is let go when the other has as many as are wanted. */
  #before = new Pieces();
  #latest = new Pieces();

  constructor(source: ResponseBody) {
    super();
    // A fault may come while nobody listens yet; it must not end the process. Late readers meet it in `errored`.
    this.on('error', () => undefined);
    pipeline(source, this, () => undefined);
  }

  bytes(limitBytes?: number): Promise<Buffer> {
    return bytesOf(this, limitBytes);
  }

  get outline(): Buffer {
    const head = this.#head ?? Buffer.alloc(0);
    const [start, end] = fieldsOf(head).get('id') ?? [0, 0];
    const isText = head[start] === QUOTE && head[end - 1] === QUOTE;
    const id = isText ? `"id":${head.toString('utf8', start, end)}` : '';
    const tail = Buffer.concat([this.#before.whole(), this.#latest.whole()]);
    const at = tail.lastIndexOf(USAGE);
    if (at < 0) return Buffer.from(`{${id}}`);
    return Buffer.concat([Buffer.from(id ? `{${id},` : '{'), tail.subarray(at)]);
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#head ??= Buffer.from(chunk.subarray(0, HEAD_BYTES));
    this.#latest.push(chunk.subarray(-TAIL_BYTES));
    if (this.#latest.length >= TAIL_BYTES) {
      this.#before.clear();
      [this.#before, this.#latest] = [this.#latest, this.#before];
    }
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
