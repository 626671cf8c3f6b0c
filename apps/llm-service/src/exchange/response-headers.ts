/**
 * Headers of a host's response that stop here, each with its reason. Everything else passes as the host spelled it: callers
 * read rate limits, request ids and headers that do not exist yet.
 */
const KEPT_BACK: ReadonlyMap<string, string> = new Map([
  ['connection', 'about one connection (RFC 9110, 7.6.1)'],
  ['keep-alive', 'about one connection'],
  ['proxy-authenticate', 'between the gateway and a proxy of its own'],
  ['proxy-authentication-info', 'between the gateway and a proxy of its own'],
  ['proxy-authorization', 'between the gateway and a proxy of its own'],
  ['proxy-connection', 'about one connection'],
  ['te', 'about one connection'],
  ['trailer', 'trailers are not passed on'],
  ['transfer-encoding', 'about one connection'],
  ['upgrade', 'about one connection'],
  ['x-request-id', 'the call has one already'],
  ['www-authenticate', "asks for the gateway's own key, which is no caller's"],
  ['set-cookie', "a session with the host: it would be shared by all callers, under the gateway's name"],
  ['set-cookie2', 'as set-cookie'],
  ['strict-transport-security', "about the host's name, and it would bind the gateway's"],
  ['public-key-pins', "about the host's name, and it would bind the gateway's"],
  ['public-key-pins-report-only', "about the host's name, and it would bind the gateway's"],
  ['clear-site-data', "would clear what a browser keeps for the gateway's origin"],
  ['openai-organization', "whose the gateway's own key is"],
  ['openai-project', "whose the gateway's own key is"],
  ['anthropic-organization-id', "whose the gateway's own key is"],
  ['alt-svc', 'other addresses of the host: callers would go around the gateway'],
  ['nel', "would have browsers report failures of the gateway to the host's operator"],
  ['report-to', 'as nel'],
  ['reporting-endpoints', 'as nel'],
  ['x-morgan-host', "the gateway's own words about the call"],
  ['x-morgan-attempts', 'as x-morgan-host'],
  ['x-morgan-model', 'as x-morgan-host'],
  ['x-morgan-upstream-request-id', 'as x-morgan-host'],
]);

/** Who may read a response from another origin is for the gateway to say. */
const KEPT_BACK_PREFIX = 'access-control-';

/** Statuses without a body, of which a length would say something that is not so (RFC 9110, 8.6). */
const hasNoLength = (status: number): boolean => status === 204 || status < 200;

/** What a response's head is made from. */
interface ResponseHead {
  readonly status: number;
  /** Names and values in turn, as the host sent them. */
  readonly received: readonly string[];
  /** The gateway's own headers; they win. */
  readonly own: ReadonlyMap<string, string>;
}

/** The headers of a response to a caller, names and values in turn: the host's in their spelling and order, then our own. */
export function responseHeaders({ status, received, own }: ResponseHead): string[] {
  const hopByHop = namedByConnection(received);
  const headers: string[] = [];
  let hasType = false;
  for (let index = 0; index + 1 < received.length; index += 2) {
    const name = received[index] as string;
    const { key, isKeptBack } = readName(name);
    if (isKeptBack || own.has(key) || hopByHop?.has(key)) continue;
    if (key === 'content-length' && hasNoLength(status)) continue;
    if (key === 'content-type') {
      // A second one would be read as a part of the first, which is no type.
      if (hasType) continue;
      hasType = true;
    }
    headers.push(name, received[index + 1] as string);
  }
  for (const [name, value] of own) headers.push(name, value);
  return headers;
}

interface KnownName {
  /** In lower case. */
  readonly key: string;
  readonly isKeptBack: boolean;
}

/** Hosts use a few dozen names again and again; one that makes names up finds this full. */
const MOST_KNOWN = 500;
const known = new Map<string, KnownName>();

function readName(name: string): KnownName {
  const found = known.get(name);
  if (found) return found;
  const key = name.toLowerCase();
  const read = { key, isKeptBack: KEPT_BACK.has(key) || key.startsWith(KEPT_BACK_PREFIX) };
  if (known.size < MOST_KNOWN) known.set(name, read);
  return read;
}

/** Every `connection` header may declare further headers to be about the connection. */
function namedByConnection(received: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < received.length; index += 2) {
    const name = received[index] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = received[index + 1] as string;
    // As nearly always; neither is the name of a header that could pass.
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const each of value.split(',')) named.add(each.trim().toLowerCase());
  }
  return named;
}
