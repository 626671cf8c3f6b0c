import type { LlmHost } from './host-list.ts';

/** Where a host is and what every request to it carries. */
export class HostAddress {
  readonly origin: string;
  /** Its credentials and its own headers, names and values in turn. */
  readonly headers: readonly string[];
  readonly #basePath: string;
  readonly #query: string;
  readonly #secrets: readonly string[];

  constructor(options: LlmHost) {
    const { origin, pathname } = new URL(options.url);
    this.origin = origin;
    this.headers = [...credentialsOf(options), ...Object.entries(options.headers ?? {}).flat()];
    this.#basePath = pathname.replace(/\/+$/, '');
    this.#query = new URLSearchParams(options.query).toString();
    this.#secrets = secretsOf(options);
  }

  /** What the host said, for others to read: should it quote what it was sent to know us by, nobody sees it. */
  readonly redact = (text: string): string =>
    this.#secrets.reduce((said, secret) => said.replaceAll(secret, REDACTED), text);

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
}

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Headers and parameters whose values are meant for the host alone, such as Azure's `api-key` and Google's `key`. */
const OF_SECRETS = /auth|key|token|secret|password|credential|signature|cookie/i;
/** Anything shorter is a number or a word that an error may well have. */
const SHORTEST_SECRET = 8;

function secretsOf({ apiKey, headers, query }: LlmHost): string[] {
  const fields = [...Object.entries(headers ?? {}), ...Object.entries(query ?? {})];
  const values = fields
    .filter(([name]) => OF_SECRETS.test(name))
    .map(([, value]) => value.replace(/^(bearer|basic) +/i, ''))
    .filter(({ length }) => length >= SHORTEST_SECRET);
  return apiKey === undefined ? values : [apiKey, ...values];
}

/** How paths begin that hosts have beside `/v1` and not below it. */
const BESIDE = '/../';

function credentialsOf({ apiKey, keyHeader = 'authorization' }: LlmHost): string[] {
  if (apiKey === undefined) return [];
  return [keyHeader, keyHeader.toLowerCase() === 'authorization' ? `Bearer ${apiKey}` : apiKey];
}
