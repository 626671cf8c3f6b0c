import type { Logger, OutgoingResponse } from '@morgan/foundation';
import type { BodyMetrics } from './body-metrics.ts';

/** Breaks responses off whose client has stopped reading: they hold memory, and the host's response behind them. */
export class StalledReaders {
  readonly #watched = new WeakSet<OutgoingResponse>();

  constructor(
    private readonly timeoutMs: number,
    private readonly logger: Logger,
    private readonly metrics: BodyMetrics,
  ) {}

  /**
   * Until {@link unwatch} or the last byte of the response, the client must take something of what was written in every
   * `timeoutMs`. Node's timer sees what the system takes of a write that is not complete yet.
   */
  watch(response: OutgoingResponse, requestId: string): void {
    response.setTimeout(this.timeoutMs);
    if (this.#watched.has(response)) return;
    this.#watched.add(response);
    response.once('timeout', () => {
      this.metrics.stalledReader();
      const fields = { requestId, waitedMs: this.timeoutMs };
      this.logger.warn(fields, 'the client stopped reading its answer, which is broken off');
      response.destroy();
    });
    // Before Node's own listener, which lets go of the socket: the next response on it has not been watched yet.
    response.prependOnceListener('finish', () => this.unwatch(response));
  }

  /**
   * {@link watch}, where something is still to be taken: a response that the system has taken in full, as it does nearly all, holds
   * nothing any more and has nobody to be watched.
   */
  watchUnlessTaken(response: OutgoingResponse, requestId: string): void {
    if (!response.writableEnded || response.writableLength > 0) this.watch(response, requestId);
  }

  /** The client has taken everything so far: from now on it may wait for more. */
  unwatch(response: OutgoingResponse): void {
    response.socket?.setTimeout(0);
  }
}
