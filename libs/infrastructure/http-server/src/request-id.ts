import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const REQUEST_ID_HEADER = 'x-request-id';

/** A header of its own that callers of a path look for a request's id in, besides {@link REQUEST_ID_HEADER}; most have none. */
export type IdHeader = (path: string) => string | undefined;

/** The headers with a request's id. */
export function idHeaders(id: string, path: string, idHeader?: IdHeader): Record<string, string> {
  const own = idHeader?.(path);
  return own === undefined ? { [REQUEST_ID_HEADER]: id } : { [REQUEST_ID_HEADER]: id, [own]: id };
}

/** Printable ASCII without spaces: safe in a header, a log line and a shell. */
const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** The caller's `x-request-id` where it is fit to be repeated, or a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
}
