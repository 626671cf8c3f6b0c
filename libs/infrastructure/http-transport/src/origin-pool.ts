import type { TransportRequest } from './request-sender.ts';
import type { HandlerPool, ResponseHandler } from './response/response-handler.ts';
import type { TransportFault } from './transport-error.ts';

/** The connections to one origin. */
export interface OriginStatus {
  readonly connected: number;
  /** Connections that could take a request now. */
  readonly free: number;
  /** Requests that are on their way or being answered. */
  readonly running: number;
  /** Requests that wait for a connection to become free or to be made. */
  readonly waiting: number;
  /** All connections ever made: with kept connections it grows far slower than the requests. */
  readonly opened: number;
  /** How many requests failed, by reason; a reason that never came is not there. */
  readonly faults: Readonly<Partial<Record<TransportFault, number>>>;
}

/** The connections to one origin, whatever they speak. */
export interface OriginPool extends HandlerPool {
  readonly status: OriginStatus;
  /** Sends a request as soon as there is a connection for it. All that becomes of it is said to its handler. */
  send(request: TransportRequest, handler: ResponseHandler): void;
  /** Ends what is under way and what waits; resolves when no socket is left. */
  destroy(): Promise<void>;
}
