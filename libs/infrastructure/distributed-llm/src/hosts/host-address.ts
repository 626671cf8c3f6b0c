import type { LlmHost } from './host-list.ts';

/** The header that says which program asks. */
export const AGENT = 'user-agent';
/** What asks where no caller says so: firewalls refuse requests without a word of it, AWS's by default. */
export const OWN_AGENT = 'Morgan';

/** Where a host is and what every request to it carries. */
export class HostAddress {
  readonly origin: string;
  /** Its credentials and its own headers, names and values in turn. */
  readonly headers: readonly string[];
  /** The names of these headers, in lower case. */
  readonly ownNames: ReadonlySet<string>;
  /** Whether it is met with a key of ours, wherever that is sent. */
  readonly hasKey: boolean;
  /** The names of further headers that callers have for it, in lower case. */
  readonly forwarded: ReadonlySet<string>;
  readonly #basePath: string;
  readonly #query: string;
  /** Parameters of callers that stay here, in lower case: their keys, and what the host has a word of its own for. */
  readonly #keptBack: ReadonlySet<string>;
  readonly #secrets: readonly string[];

  constructor(options: LlmHost) {
    const { origin, pathname } = new URL(options.url);
    this.origin = origin;
    this.headers = [...credentialsOf(options), ...Object.entries(options.headers ?? {}).flat()];
    this.ownNames = new Set(this.headers.flatMap((text, at) => (at % 2 === 0 ? [text.toLowerCase()] : [])));
    this.hasKey = options.apiKey !== undefined || namedSecrets(options).length > 0;
    this.forwarded = new Set(options.forwardHeaders);
    this.#basePath = pathname.replace(/\/+$/, '');
    this.#query = new URLSearchParams(options.query).toString();
    const own = Object.keys(options.query ?? {});
    this.#keptBack = new Set([...KEY_PARAMETERS, ...own.map((name) => name.toLowerCase())]);
    this.#secrets = secretsOf(options);
  }

  /** A text of the host without the key that it was sent, for callers: some quote it in their errors. */
  readonly withoutSecrets = (text: string): string =>
    this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);

  /**
   * The path of a request below the base URL, with the host's own query: Azure's `api-version` stands there. One that
   * begins with `/../` is beside `/v1`, as vLLM has `/tokenize`: a base URL that does not end in `/v1` is left as it is.
   */
  pathOf(path: string): string {
    const isBeside = path.startsWith(BESIDE);
    const base = isBeside ? this.#basePath.replace(/\/v1$/, '') : this.#basePath;
    const full = base + (isBeside ? path.slice(BESIDE.length - 1) : path);
    return this.#query === '' ? full : `${full}${path.includes('?') ? '&' : '?'}${this.#query}`;
  }

  /** {@link pathOf} for a path of a caller. Parameters of its query that hold keys are left out; the others stay as they were written. */
  pathOfCall(path: string): string {
    const at = path.indexOf('?');
    if (at < 0) return this.pathOf(path);
    const pairs = path.slice(at + 1).split('&');
    const kept = pairs.filter((pair) => pair !== '' && !this.#keptBack.has(parameterName(pair)));
    return this.pathOf(kept.length === 0 ? path.slice(0, at) : `${path.slice(0, at)}?${kept.join('&')}`);
  }
}

/** How paths begin that hosts have beside `/v1` and not below it. */
const BESIDE = '/../';

/** No key of a caller reaches a host: some services take theirs from the query. */
const KEY_PARAMETERS = [
  'key',
  'api_key',
  'api-key',
  'apikey',
  'x-api-key',
  'x-goog-api-key',
  'access_token',
  'auth',
  'auth_token',
  'authorization',
  'password',
  'secret',
  'subscription-key',
  'token',
];

/** In lower case: many hosts take `API-Version` for `api-version`, and with both of them neither. */
function parameterName(pair: string): string {
  const [name = ''] = new URLSearchParams(pair).keys();
  return name.toLowerCase();
}

const REDACTED = '[redacted]';
/** What headers and parameters with credentials are called. */
export const SECRET_NAME = /key|token|auth|secret|cookie|password|credential/i;
const SCHEME = /^(Bearer|Basic|Token) +/i;
/** What is shorter is no secret, and may be a part of any text. */
const SHORTEST_SECRET = 4;

function secretsOf(options: LlmHost): string[] {
  const values = [...namedSecrets(options), options.apiKey ?? ''];
  const secrets = values.filter(({ length }) => length >= SHORTEST_SECRET);
  return [...new Set(secrets.flatMap(waysToWrite))];
}

/** The spellings of a secret in what a host quotes: as it is, in a URL, in a JSON text. */
function waysToWrite(secret: string): string[] {
  const inQuery = new URLSearchParams([['', secret]]).toString().slice(1);
  return [secret, inQuery, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
}

/** What headers and parameters hold whose names say that it is secret. */
function namedSecrets({ headers = {}, query = {} }: LlmHost): string[] {
  return [...Object.entries(headers), ...Object.entries(query)]
    .filter(([name]) => SECRET_NAME.test(name))
    .map(([, value]) => value.replace(SCHEME, '').trim());
}

function credentialsOf({ apiKey, keyHeader = 'authorization' }: LlmHost): string[] {
  if (apiKey === undefined) return [];
  return [keyHeader, keyHeader.toLowerCase() === 'authorization' ? `Bearer ${apiKey}` : apiKey];
}
