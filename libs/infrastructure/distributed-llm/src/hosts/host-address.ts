import type { LlmHost } from './host-list.ts';

/** Where a host is and what every request to it carries. */
export class HostAddress {
  readonly origin: string;
  /** Its credentials and its own headers, names and values in turn. */
  readonly headers: readonly string[];
  readonly #basePath: string;
  readonly #query: string;

  constructor(options: LlmHost) {
    const { origin, pathname } = new URL(options.url);
    this.origin = origin;
    this.headers = [...credentialsOf(options), ...Object.entries(options.headers ?? {}).flat()];
    this.#basePath = pathname.replace(/\/+$/, '');
    this.#query = new URLSearchParams(options.query).toString();
  }

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

/** How paths begin that hosts have beside `/v1` and not below it. */
const BESIDE = '/../';

function credentialsOf({ apiKey, keyHeader = 'authorization' }: LlmHost): string[] {
  if (apiKey === undefined) return [];
  return [keyHeader, keyHeader.toLowerCase() === 'authorization' ? `Bearer ${apiKey}` : apiKey];
}
