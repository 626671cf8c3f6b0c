import { Readable } from 'node:stream';
import { bytesOf, type HostResponseBody } from './whole-body.ts';
import type { HostStreamListener } from './host-stream.listener.ts';
import type { HostStream } from './host-stream.ts';
import type { SseEvent } from '../sse/sse-event.ts';
import { errorOf } from './stream-error.ts';
import type { StreamFault } from '../sse/stream-fault.ts';

/** The bytes of a {@link HostStream}, for whoever does not look at its events: whole, or broken by an AppError. */
export class StreamBody extends Readable implements HostResponseBody, HostStreamListener {
  #isRead = false;
  #isFull = false;

  constructor(private readonly stream: HostStream) {
    super({ highWaterMark: 64 * 1024 });
    // A fault may come while nobody listens yet; it must not end the process. Late readers meet it in `errored`.
    this.on('error', () => undefined);
    // Somebody else has taken the events.
    void stream.over.then(() => this.#isRead || this.destroy());
  }

  bytes(limitBytes?: number): Promise<Buffer> {
    return bytesOf(this, limitBytes);
  }

  event({ raw }: SseEvent): void {
    this.#isFull = !this.push(raw);
  }

  flush(): void {
    if (this.#isFull) this.stream.pause();
  }

  ended(end: Buffer | undefined): void {
    if (end) this.push(end);
    this.push(null);
  }

  failed(fault: StreamFault): void {
    this.destroy(errorOf(fault));
  }

  override _read(): void {
    this.#isFull = false;
    if (this.#isRead) return this.stream.resume();
    this.#isRead = true;
    this.stream.start(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.stream.destroy();
    callback(error);
  }
}
