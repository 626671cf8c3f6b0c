/** Endpoints that may be opened to callers without an API key. */
export const OPENABLE_ENDPOINTS = ['metrics', 'health', 'docs'] as const;

type OpenableEndpoint = (typeof OPENABLE_ENDPOINTS)[number];

const PROBES = ['/livez', '/readyz'];

/** What is open is there to be read: a path that the configuration puts below it, for hosts, is not. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

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
  has(method: string, pattern: string | undefined): boolean {
    if (!READING.has(method)) return false;
    return this.#patterns.some((open) => pattern === open || pattern?.startsWith(`${open}/`));
  }
}
