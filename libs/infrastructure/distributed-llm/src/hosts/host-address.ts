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

  /** The path of a request below the base URL, with the host's own query: Azure's `api-version` stands there. */
  pathOf(path: string): string {
    if (this.#query === '') return this.#basePath + path;
    return `${this.#basePath}${path}${path.includes('?') ? '&' : '?'}${this.#query}`;
  }
}

function credentialsOf({ apiKey, keyHeader = 'authorization' }: LlmHost): string[] {
  if (apiKey === undefined) return [];
  return [keyHeader, keyHeader.toLowerCase() === 'authorization' ? `Bearer ${apiKey}` : apiKey];
}
