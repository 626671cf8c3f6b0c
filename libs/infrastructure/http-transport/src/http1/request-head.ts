import { errors } from 'undici';
import type { TransportRequest } from '../request-sender.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const NO_PATH = /[^\x21-\xff]/;
/** Methods whose requests have a body as a rule: they say so where there is none. */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const CLOSE = /(?:^|,)\s*close\s*(?:,|$)/i;
/** What concerns one connection alone is this library's to say. */
const OF_CONNECTION: ReadonlySet<string> = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'expect']);
/** Names that were found to be good, as callers spell them. They come from configuration and from callers. */
const names = new Map<string, string>();
const MOST_NAMES = 1_000;

/** What goes in front of a body. */
export interface RequestHead {
  /** Request line and headers, and the empty line at their end. */
  readonly text: string;
  /** The head for a request whose body turns out to be empty. */
  readonly emptyText: string;
  /** How many bytes the body has; nothing where that shows at its end. */
  readonly contentLength: number | undefined;
  /** The connection is not used again: the caller wants so, or servers may misunderstand where the response ends. */
  readonly isLast: boolean;
}

/**
 * A request as HTTP/1.1 writes it.
 * @throws InvalidArgumentError for what HTTP does not allow; nothing may be sent then.
 */
export function requestHead(request: TransportRequest, host: string): RequestHead {
  const { method, path, headers = [] } = request;
  if (!path.startsWith('/') || NO_PATH.test(path)) throw invalid('the path');
  if (headers.length % 2 !== 0) throw invalid('a header without a value');
  let lines = '';
  let named = host;
  let contentLength: number | undefined;
  // Servers may send a body where there is none, or leave one unread that they did not expect.
  let isLast = method === 'HEAD' || (request.body !== undefined && !WITH_BODY.has(method));
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = String(headers[at + 1]);
    const lower = names.get(name) ?? nameOf(name);
    if (NO_VALUE.test(value)) throw invalid(`the value of ${lower}`);
    if (lower === 'content-length') contentLength = lengthOf(value, contentLength);
    else if (lower === 'host') named = value;
    else if (lower === 'connection') isLast ||= CLOSE.test(value);
    else lines += `${name}: ${value}\r\n`;
  }
  const bytes = bytesOf(request, contentLength);
  const connection = isLast ? 'close' : 'keep-alive';
  const start = `${method} ${path} HTTP/1.1\r\nhost: ${named}\r\nconnection: ${connection}\r\n${lines}`;
  const empty = WITH_BODY.has(method) ? 'content-length: 0\r\n\r\n' : '\r\n';
  if (bytes === 0) return { text: start + empty, emptyText: start + empty, contentLength: 0, isLast };
  const framing = bytes === undefined ? 'transfer-encoding: chunked' : `content-length: ${bytes}`;
  return { text: `${start}${framing}\r\n\r\n`, emptyText: start + empty, contentLength: bytes, isLast };
}

/** @throws RequestContentLengthMismatchError where bytes that are all here are not as many as the caller has said. */
function bytesOf({ body }: TransportRequest, said: number | undefined): number | undefined {
  const bytes = Buffer.isBuffer(body) ? body.length : body ? said : 0;
  if (said !== undefined && said !== 0 && said !== bytes)
    throw new errors.RequestContentLengthMismatchError();
  return bytes;
}

function nameOf(name: string): string {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name)) throw invalid('the name of a header');
  if (OF_CONNECTION.has(lower)) throw invalid(`the header ${lower}`);
  if (names.size < MOST_NAMES) names.set(name, lower);
  return lower;
}

function lengthOf(value: string, before: number | undefined): number {
  if (!/^\d{1,15}$/.test(value) || before !== undefined) throw invalid('content-length');
  return Number(value);
}

function invalid(what: string): Error {
  return new errors.InvalidArgumentError(`HTTP does not allow ${what} of the request.`);
}
