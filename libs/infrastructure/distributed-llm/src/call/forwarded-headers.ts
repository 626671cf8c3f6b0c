import type { IncomingHttpHeaders } from 'node:http';

/** Why a header does not go on. */
type Reason = 'about one connection' | 'about another origin' | 'set by the gateway';

/**
 * What passes from a caller to a host. An allow-list, because callers' secrets travel under names that no deny-list can
 * foresee (`x-api-key`, `cf-access-jwt-assertion`, a proxy's own), and hosts may belong to somebody else.
 */
const TO_HOST: ReadonlySet<string> = new Set([
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'content-type',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'user-agent',
]);

/** OpenAI's own: `openai-organization`, `openai-beta`, and what its clients say about themselves. */
const TO_HOST_PREFIX = /^(openai-|x-stainless-)/;

/** What does not pass from a host to a caller, and why; everything else does. */
const NOT_TO_CALLER: ReadonlyMap<string, Reason> = new Map([
  ['connection', 'about one connection'],
  ['keep-alive', 'about one connection'],
  ['proxy-authenticate', 'about one connection'],
  ['proxy-authorization', 'about one connection'],
  ['proxy-connection', 'about one connection'],
  ['te', 'about one connection'],
  ['trailer', 'about one connection'],
  ['transfer-encoding', 'about one connection'],
  ['upgrade', 'about one connection'],
  ['alt-svc', 'about another origin'],
  ['clear-site-data', 'about another origin'],
  ['public-key-pins', 'about another origin'],
  ['set-cookie', 'about another origin'],
  ['strict-transport-security', 'about another origin'],
  ['www-authenticate', 'about another origin'],
  ['x-request-id', 'set by the gateway'],
]);

/** The headers of a request to a host as a flat list, all but the host's own. */
export function headersToHost(received: IncomingHttpHeaders, requestId: string): string[] {
  // The answer passes through unread, so nobody here could undo a compression that the caller never asked for.
  const headers = ['x-request-id', requestId, 'accept-encoding', 'identity'];
  const named = namedByConnection(received.connection);
  for (const name of Object.keys(received)) {
    const value = received[name];
    if (typeof value !== 'string' || named?.has(name)) continue;
    if (TO_HOST.has(name) || TO_HOST_PREFIX.test(name)) headers.push(name, value);
  }
  return headers;
}

/** The end-to-end headers of an answer: spelling, order and repetition as the host sent them. */
export function headersFromHost(received: readonly string[]): string[] {
  const named = namedByConnections(received);
  const headers: string[] = [];
  for (let index = 0; index + 1 < received.length; index += 2) {
    const [name, value] = [received[index] as string, received[index + 1] as string];
    const key = name.toLowerCase();
    if (!NOT_TO_CALLER.has(key) && !named?.has(key)) headers.push(name, value);
  }
  return headers;
}

/** Each `connection` header may declare further headers to be about the connection (RFC 9110, 7.6.1). */
function namedByConnections(received: readonly string[]): Set<string> | undefined {
  let values: string | undefined;
  for (let index = 0; index + 1 < received.length; index += 2) {
    const name = received[index] as string;
    if (name.length !== 'connection'.length || name.toLowerCase() !== 'connection') continue;
    values = values === undefined ? received[index + 1] : `${values},${received[index + 1] ?? ''}`;
  }
  return namedByConnection(values);
}

function namedByConnection(value: string | undefined): Set<string> | undefined {
  if (value === undefined || /^(keep-alive|close)$/i.test(value)) return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}
