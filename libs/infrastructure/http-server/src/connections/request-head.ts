import type { IncomingMessage } from 'node:http';
import { AppError } from '@morgan/foundation';
import type { IncomingRequest } from '../http-exchange.ts';

/** What somebody is told who speaks another version. */
export const OTHER_VERSION = 'Only HTTP/1.1 and HTTP/1.0 are spoken here; a proxy in front may speak others.';

/** No client has so many header lines, and each takes ten times its bytes in memory. */
export const MOST_HEADERS = 256;

/**
 * Checks what Node leaves unchecked in the head of a request, and brings an absolute-form target (`http://host/path`) into
 * the form that everything behind this expects (`/path`).
 * @returns why the request is refused, if it is.
 */
export function checkRequestHead(request: IncomingMessage): AppError | undefined {
  // Node takes 2.0 and 0.9 in a request line for what follows, too.
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
    return new AppError('malformed_request', OTHER_VERSION);
  if (request.rawHeaders.length > 2 * MOST_HEADERS)
    return new AppError('headers_too_large', `The request has more than ${MOST_HEADERS} headers.`);
  const target = originForm(request.url ?? '');
  if (target === undefined)
    return new AppError('invalid_url', 'The request target must be a path, and has no fragment (#).');
  request.url = target;
  const hosts = countHosts(request.rawHeaders);
  if (hosts > 1 || (hosts === 0 && request.httpVersion !== '1.0')) {
    return new AppError('malformed_request', 'The request needs exactly one host header.');
  }
  const { expect, 'transfer-encoding': coding } = request.headers;
  // Node takes the last coding for all there is, and hands what is inside of it on as the body.
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    return new AppError('malformed_request', 'The only transfer coding that is understood is chunked.');
  if (expect !== undefined && request.httpVersion !== '1.0' && !asksForContinue(request)) {
    return new AppError('expectation_failed', 'The only expectation that can be met is 100-continue.');
  }
  return undefined;
}

/** Whether the caller waits for `100 Continue` with its body. HTTP/1.0 does not know it. */
export function asksForContinue({ headers, httpVersion }: IncomingRequest): boolean {
  return httpVersion !== '1.0' && headers.expect?.toLowerCase() === '100-continue';
}

/** A fragment never leaves a client (RFC 9110, 4.1); whatever a gateway put behind one, a host would take for a part of it. */
function originForm(target: string): string | undefined {
  if (target.includes('#')) return undefined;
  if (target.startsWith('/')) return target;
  const rest = /^https?:\/\/[^/?#]+(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
