import { Readable } from 'node:stream';
import { Pieces } from '@morgan/foundation';
import type { ResponseController } from './response-controller.ts';
import { TransportError } from '../transport-error.ts';

/** So much is held for a reader that is slow, in bytes. */
export const HELD_BYTES = 64 * 1024;

/**
 * The bytes of a response as they arrive: not decompressed, not copied, with back-pressure. It must be read to its end
 * or destroyed, or its connection is held for ever.
 */
export class ResponseBody extends Readable {
  readonly #controller: Pick<ResponseController, 'resume'>;
  readonly #onDestroyed: () => void;

  constructor(controller: Pick<ResponseController, 'resume'>, onDestroyed: () => void) {
    super({ highWaterMark: HELD_BYTES });
    this.#controller = controller;
    this.#onDestroyed = onDestroyed;
    // A fault may come while nobody listens yet; it must not end the process. Late readers meet it in `errored`.
    this.on('error', ignore);
  }

  /**
   * Everything that is left of the body, in one piece. Rejects with the body's fault.
   * @param limitBytes more than that is not read: the rest is given up, with `too_large`.
   */
  bytes(limitBytes = Infinity): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.readableEnded) return resolve(Buffer.alloc(0));
      if (this.destroyed) return reject(this.errored ?? new TransportError('aborted', false));
      const pieces = new Pieces();
      // Listeners and not `for await`, which makes an iterator and several ticks for each body.
      this.on('data', (chunk: Buffer) => {
        pieces.push(chunk);
        if (pieces.length > limitBytes) this.destroy(new TransportError('too_large', false));
      });
      this.once('error', reject);
      this.once('end', () => resolve(pieces.whole()));
      this.once('close', () => reject(new TransportError('aborted', false)));
    });
  }

  override _read(): void {
    this.#controller.resume();
  }

  /** Ends the handler if it is still going on, which costs the connection; a whole response leaves it in the pool. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#onDestroyed();
    callback(error);
  }
}

function ignore(): void {}
