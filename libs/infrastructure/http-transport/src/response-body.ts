import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/**
 * The bytes of an answer as they come off the socket: not decompressed, not copied, held back while the reader is slow.
 * It must be read to its end or destroyed, or its connection is held for ever.
 */
export class ResponseBody extends Readable {
  readonly #controller: Dispatcher.DispatchController;
  readonly #onDestroyed: () => void;

  constructor(controller: Dispatcher.DispatchController, onDestroyed: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#controller = controller;
    this.#onDestroyed = onDestroyed;
    // A fault may come while nobody listens yet; it must not end the process. Late readers meet it in `errored`.
    this.on('error', ignore);
  }

  /** Everything that is left of the body. Rejects with the body's fault. */
  async bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this) chunks.push(chunk as Buffer);
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }

  override _read(): void {
    this.#controller.resume();
  }

  /** Ends the exchange if it is still going on, which costs the connection; a whole answer leaves it in the pool. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#onDestroyed();
    callback(error);
  }
}

function ignore(): void {}
