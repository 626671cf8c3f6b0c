import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AGENT, type HostAddress, OWN_AGENT, SECRET_NAME } from '../hosts/host-address.ts';

const IDEMPOTENCY_KEY = 'idempotency-key';

/**
 * What passes from a caller to any host. An allow-list, which a host's `forwardHeaders` makes longer, because callers' secrets travel under names that no deny-list can
 * foresee (`x-api-key`, `cf-access-jwt-assertion`, a proxy's own), and hosts may belong to somebody else.
 */
const TO_HOST: ReadonlySet<string> = new Set([
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'content-type',
  IDEMPOTENCY_KEY,
  'traceparent',
  'tracestate',
  'x-morgan-hops',
  'x-morgan-via',
]);

/** OpenAI's own: `openai-organization`, `openai-beta`, and what its clients say about themselves; but nothing like `openai-api-key`. */
const TO_HOST_PREFIXES = ['openai-', 'x-stainless-'];

/** What belongs to a key: with ours a caller's would be refused as a wrong key is, or would choose who pays. */
const OF_ACCOUNT: ReadonlySet<string> = new Set(['openai-organization', 'openai-project']);

/**
 * The headers of a request to a host as a flat list, all but the host's own: what it is configured with is sent once, and
 * not beside what a caller says.
 */
export function headersToHost(
  received: IncomingHttpHeaders,
  requestId: string,
  { hasKey, ownNames, forwarded }: Pick<HostAddress, 'hasKey' | 'ownNames' | 'forwarded'>,
): string[] {
  // The response passes through unread, so nobody here could undo a compression that the caller never asked for.
  const headers = ['x-request-id', requestId, 'accept-encoding', 'identity'];
  const named = namedByConnection(received.connection);
  if (!ownNames.has(AGENT)) headers.push(AGENT, (!named?.has(AGENT) && received[AGENT]) || OWN_AGENT);
  for (const name of Object.keys(received)) {
    const value = received[name];
    if (typeof value !== 'string' || named?.has(name) || ownNames.has(name)) continue;
    if (forwarded.has(name) || mayPass(name, hasKey))
      headers.push(name, name === IDEMPOTENCY_KEY ? ownOfCaller(value, received) : value);
  }
  return headers;
}

/**
 * To a host all callers are one: it would give what it made for one of them to another who chose the same word. The same caller has
 * the same one again, at every replica. An authorization of another scheme may be that of a proxy, which all have in common.
 */
function ownOfCaller(word: string, received: IncomingHttpHeaders): string {
  const { authorization = '' } = received;
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const caller = bearer ?? (received['x-api-key'] || received['api-key'] || authorization);
  if (caller === '') return word;
  return hash('sha256', JSON.stringify([String(caller), word]));
}

function mayPass(name: string, hasKey: boolean): boolean {
  if (hasKey && OF_ACCOUNT.has(name)) return false;
  return TO_HOST.has(name) || hasPassingPrefix(name);
}

function hasPassingPrefix(name: string): boolean {
  return TO_HOST_PREFIXES.some((prefix) => name.startsWith(prefix)) && !SECRET_NAME.test(name);
}

/** A `connection` header may declare further headers to be about the connection (RFC 9110, 7.6.1). */
function namedByConnection(value: string | undefined): Set<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}
