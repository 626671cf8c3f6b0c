import type { RequestBody, TransportRequest } from '@morgan/http-transport';

/** What a call may add to a method and a path. */
export interface RequestOptions {
  /** Sent as JSON, with that content type. */
  readonly json?: unknown;
  /**
   * Sent as it is; name its type in `headers`. A stream is read once, so such a call is tried once: nothing of it is
   * repeated.
   */
  readonly body?: RequestBody | string | undefined;
  /** Appended to the path. A list repeats its name; undefined values are left out. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>> | undefined;
  /** Win over the client's own of the same name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

type QueryValue = string | number | boolean | undefined;

/** The part of a request that is the same for every attempt. */
type OutgoingRequest = Pick<TransportRequest, 'method' | 'path'> & {
  readonly headers: string[];
  readonly body: RequestBody | undefined;
};

/** What a caller asks for cannot be a request to this service. The message names no content. */
export class UnsendableRequest extends Error {}

/** Turns what callers say into requests to one base URL, with the headers that all of them share. */
export class RequestBuilder {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without a slash at its end. */
  readonly #basePath: string;
  /** By name in lower case. */
  readonly #headers: ReadonlyMap<string, string>;
  readonly #flatHeaders: readonly string[];

  constructor(baseUrl: string, headers: Readonly<Record<string, string>>) {
    const { origin, pathname } = new URL(baseUrl);
    this.origin = origin;
    this.#basePath = pathname.replace(/\/+$/, '');
    this.#headers = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    this.#flatHeaders = [...this.#headers].flat();
  }

  /**
   * @param path below the base URL, with or without a slash in front.
   * @throws UnsendableRequest for a whole URL, two bodies, and a value that JSON cannot express.
   */
  build(method: TransportRequest['method'], path: string, options: RequestOptions = {}): OutgoingRequest {
    const { json, body, query, headers } = options;
    const isJson = json !== undefined;
    if (isJson && body !== undefined) throw new UnsendableRequest('There is both `json` and `body`.');
    return {
      method,
      path: this.#pathOf(path, query),
      headers: this.#headersOf(headers, isJson),
      body: isJson ? jsonBody(json) : typeof body === 'string' ? Buffer.from(body) : body,
    };
  }

  #pathOf(path: string, query: RequestOptions['query']): string {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(path)) throw new UnsendableRequest('The path is a whole URL.');
    const whole = this.#basePath + (path.startsWith('/') || path === '' ? path : `/${path}`) || '/';
    const search = query ? searchOf(query) : '';
    return search ? `${whole}${whole.includes('?') ? '&' : '?'}${search}` : whole;
  }

  #headersOf(own: RequestOptions['headers'], isJson: boolean): string[] {
    if (!own)
      return isJson ? ['content-type', 'application/json', ...this.#flatHeaders] : [...this.#flatHeaders];
    const all = new Map(this.#headers);
    if (isJson) all.set('content-type', 'application/json');
    for (const [name, value] of Object.entries(own)) all.set(name.toLowerCase(), value);
    return [...all].flat();
  }
}

function jsonBody(value: unknown): Buffer {
  const text = stringify(value);
  if (text === undefined) throw new UnsendableRequest('The value cannot be expressed in JSON.');
  return Buffer.from(text);
}

/** None for a function or `undefined`, a value that refers to itself, and a bigint. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function searchOf(query: NonNullable<RequestOptions['query']>): string {
  const search = new URLSearchParams();
  for (const [name, values] of Object.entries(query))
    for (const value of [values].flat()) if (value !== undefined) search.append(name, String(value));
  return search.toString();
}
