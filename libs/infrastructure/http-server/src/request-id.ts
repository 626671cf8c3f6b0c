import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** On requests and responses: what logs of both sides and errors name a request by. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Which headers tell a caller the id of its request, by what it asked for and the headers that it sent. */
export type RequestIdHeaders = (url: string, headers: IncomingHttpHeaders) => readonly string[];

/** {@link REQUEST_ID_HEADER}, whatever was asked. */
export const oneIdHeader: RequestIdHeaders = () => [REQUEST_ID_HEADER];

/** Printable ASCII without spaces: safe in a header, a log line and a shell. */
const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** The caller's `x-request-id` where it is fit to be repeated, or a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
}
