import type { ResponseController } from '../response/response-controller.ts';
import type { ResponseHandler } from '../response/response-handler.ts';
import type { Upload } from '../upload.ts';
import type { RequestHead } from './request-head.ts';

/** What is sent for one request. */
export interface Outgoing {
  readonly head: RequestHead;
  readonly body: Buffer | Upload | undefined;
  readonly isHead: boolean;
  /** The longest silence within the body of the response, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** The connection that a request is sent over. */
interface ExchangeConnection {
  pause(): void;
  resume(): void;
  destroy(): void;
}

/** One request and its response on their way through a pool. What is said to it once it is over concerns nobody. */
export class Exchange implements ResponseController {
  #connection: ExchangeConnection | undefined;

  constructor(
    readonly handler: ResponseHandler,
    readonly outgoing: Outgoing,
  ) {}

  begin(connection: ExchangeConnection): void {
    this.#connection = connection;
  }

  end(): void {
    this.#connection = undefined;
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** Costs the connection: nobody knows where the next response would begin. */
  abort(): void {
    this.#connection?.destroy();
  }
}
