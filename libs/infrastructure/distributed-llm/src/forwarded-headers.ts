import type { IncomingHttpHeaders } from 'node:http';

/**
 * What passes from a caller to a host. An allow-list, because callers' secrets travel under names that no deny-list can
 * foresee (`x-api-key`, `cf-access-jwt-assertion`, a proxy's own), and hosts may belong to somebody else.
 */
const PASSED_ON: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'user-agent',
]);

/** OpenAI's own: `openai-organization`, `openai-beta`, and what its clients say about themselves. */
const PASSED_ON_PREFIX = /^(openai-|x-stainless-)/;

/** Headers that are about one connection (RFC 9110, 7.6.1), and the host's request id: the call has one already. */
const NOT_PASSED_BACK: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
]);

/** The headers of a request to a host as a flat list, all but the host's own credentials. */
export function headersToHost(received: IncomingHttpHeaders, requestId: string): string[] {
  // The answer passes through unread, so nobody here could undo a compression that the caller never asked for.
  const headers = ['x-request-id', requestId, 'accept-encoding', 'identity'];
  for (const name in received) {
    const value = received[name];
    if (typeof value !== 'string') continue;
    if (PASSED_ON.has(name) || PASSED_ON_PREFIX.test(name)) headers.push(name, value);
  }
  return headers;
}

/** The end-to-end headers of an answer: spelling, order and repetition as the host sent them. */
export function headersFromHost(received: readonly string[]): string[] {
  const named = namedByConnection(received);
  const headers: string[] = [];
  for (let index = 0; index + 1 < received.length; index += 2) {
    const [name, value] = [received[index] as string, received[index + 1] as string];
    const key = name.toLowerCase();
    if (!NOT_PASSED_BACK.has(key) && !named?.includes(key)) headers.push(name, value);
  }
  return headers;
}

/** A `connection` header may declare further headers to be about the connection. */
function namedByConnection(received: readonly string[]): string[] | undefined {
  const at = received.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'connection');
  if (at === -1) return undefined;
  return received[at + 1]?.split(',').map((name) => name.trim().toLowerCase());
}
