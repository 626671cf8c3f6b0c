import type { Socket } from 'node:net';
import { kParser } from './undici-internals.ts';

/** The part of undici's HTTP/1.1 parser that hears of a status line and its headers. */
interface ResponseParser {
  onHeadersComplete(status: number, ...rest: readonly unknown[]): number;
}

const CONTINUE = 100;
const EARLY_HINTS = 103;

/**
 * undici breaks the connection on a `100 Continue` that nobody asked for, which a client must pass over like any other
 * 1xx (RFC 9110, 15.2). To be called when a connection is made; it does nothing to HTTP/2.
 */
export function passOverContinue(socket: Socket): void {
  const parser = (socket as unknown as { [kParser]?: ResponseParser | null })[kParser];
  if (!parser) return;
  const onHeadersComplete = parser.onHeadersComplete.bind(parser);
  parser.onHeadersComplete = (status, ...rest) =>
    onHeadersComplete(status === CONTINUE ? EARLY_HINTS : status, ...rest);
}
