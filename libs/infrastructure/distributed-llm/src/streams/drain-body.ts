import type { Readable } from 'node:stream';

/** How long a body may go on behind its end marker before its connection is given up, in milliseconds. */
const DRAIN_MS = 1_000;

/** A body that is read to its end leaves its connection in the pool. */
export function drainBody(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  const timer = setTimeout(() => body.destroy(), DRAIN_MS).unref();
  body.once('close', () => clearTimeout(timer));
  body.resume();
}
