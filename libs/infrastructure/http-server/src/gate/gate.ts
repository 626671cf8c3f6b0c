import type { IncomingMessage } from 'node:http';
import type { HttpReply, HttpRequest } from '../http-exchange.ts';

/** One check of the gate: it lets a request pass by `done`, refuses it by `done` with an error, or answers it. */
export type GateHook = (request: HttpRequest, reply: HttpReply, done: (error?: Error) => void) => void;

/** Reads the body of a request that was let in, from where it comes or as it is here in full. `done` is not called where the caller leaves meanwhile. */
export type BodyHook = (
  request: HttpRequest,
  source: IncomingMessage | Buffer,
  done: (error: Error | null, body?: unknown) => void,
) => void;

/** What every request passes before its handler, in the order of docs/architecture.md. */
export interface Gate {
  /** Before anything is known about its body. */
  readonly onRequest: readonly GateHook[];
  /** Where it has a route, before its body is read. */
  readonly beforeBody: readonly GateHook[];
  readonly readBody: BodyHook;
}
