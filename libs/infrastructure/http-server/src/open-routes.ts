/** Endpoints that may be opened to callers without an API key. */
export const OPENABLE_ENDPOINTS = ['metrics', 'health', 'docs'] as const;

export type OpenableEndpoint = (typeof OPENABLE_ENDPOINTS)[number];

const PROBES = ['/livez', '/readyz'];

/**
 * Says which routes need no API key: the probes, and the endpoints opened by configuration. It looks at the pattern that
 * the router matched, never at the URL as sent: a route that nobody declared open is guarded, however its path is spelled.
 */
export class OpenRoutes {
  readonly #patterns: readonly string[];

  constructor(opened: readonly OpenableEndpoint[]) {
    this.#patterns = [...PROBES, ...opened.map((endpoint) => `/${endpoint}`)];
  }

  /** @param pattern of the matched route, such as `/docs/*`; undefined where none matched. */
  has(pattern: string | undefined): boolean {
    return this.#patterns.some((open) => pattern === open || pattern?.startsWith(`${open}/`));
  }
}
