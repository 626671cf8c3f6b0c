import { Readable } from 'node:stream';

/** The body of a response: the host's bytes as they come, or all of them at once. It must be read to its end or destroyed. */
export interface HostResponseBody extends Readable {
  /** Everything that is left, in one piece. Rejects with the body's fault. */
  bytes(limitBytes?: number): Promise<Buffer>;
  /** Of a JSON that passed by and was not held, once it is over: one with its id and its usage alone, where they were found. */
  readonly outline?: Buffer;
}

/** A body that has arrived completely. */
export class WholeBody extends Readable implements HostResponseBody {
  constructor(private readonly content: Buffer) {
    super();
  }

  bytes(): Promise<Buffer> {
    this.resume();
    return Promise.resolve(this.content);
  }

  override _read(): void {
    if (this.content.length > 0) this.push(this.content);
    this.push(null);
  }
}

/** What is left of a body, up to the piece that crosses the limit. Rejects with the body's fault. */
export async function bytesOf(body: Readable, limitBytes = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limitBytes) break;
  }
  return Buffer.concat(chunks);
}
