import { type ResponseBody, TransportError } from '@morgan/http-transport';

/** Reads the beginning of a body, and puts it back if there is more to come. */
export class BodyStart {
  readonly #held: Buffer[] = [];
  #length = 0;

  constructor(readonly body: ResponseBody) {}

  /** What was read, when the body has ended. */
  bytes(): Buffer {
    return this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
  }

  /**
   * Reads until `isEnough` says so; then everything is back in the body. Rejects with the body's fault, or with
   * `first_byte_timeout` after `limitMs`.
   * @returns false when the body ended before: then {@link bytes} has all of it.
   */
  read(isEnough: (chunk: Buffer, held: number) => boolean, limitMs?: number): Promise<boolean> {
    const { body } = this;
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        body.off('readable', onReadable).off('end', onEnd).off('error', onError).off('close', onClose);
      };
      const onReadable = () => {
        try {
          if (!this.#drain(isEnough)) return;
        } catch (error) {
          return onError(error as Error);
        }
        stop();
        resolve(true);
      };
      const onEnd = () => {
        stop();
        resolve(false);
      };
      const onError = (error: Error) => {
        stop();
        reject(error);
      };
      const onClose = () => onError(body.errored ?? new TransportError('aborted', false));
      const late = () => onError(new TransportError('first_byte_timeout', false));
      const timer = limitMs === undefined ? undefined : setTimeout(late, limitMs);
      if (body.destroyed) return onClose();
      body.on('readable', onReadable).once('end', onEnd).once('error', onError).once('close', onClose);
    });
  }

  /** What was read is put back before this returns: the end of the body may be reported in any later turn. */
  #drain(isEnough: (chunk: Buffer, held: number) => boolean): boolean {
    let chunk = this.body.read() as Buffer | null;
    for (; chunk !== null; chunk = this.body.read() as Buffer | null) {
      this.#held.push(chunk);
      this.#length += chunk.length;
      if (!isEnough(chunk, this.#length)) continue;
      this.body.unshift(this.bytes());
      return true;
    }
    return false;
  }
}
