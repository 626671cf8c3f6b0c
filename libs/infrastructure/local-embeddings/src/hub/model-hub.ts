import type { Logger } from '@morgan/foundation';
import { HttpClient, type HttpClientOptions } from '@morgan/http-client';
import type { TransportResponse } from '@morgan/http-transport';
import { ModelLoadError } from '../model/model-load-error.ts';

/** What a hub is asked with. */
interface ModelHubOptions {
  /** The hub or a mirror of it, with or without a path. */
  readonly hubUrl: string;
  /** For models that not everybody may read. Shown to the hub only, not to where it redirects to. */
  readonly token?: string | undefined;
  readonly logger: Logger;
  readonly proxy?: HttpClientOptions['proxy'];
}

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const SHA256 = /^[\da-f]{64}$/;
const COMMIT = /^[\da-f]{40}$/;
/** In the list of those that HTTP clients may have: redirects carry signed addresses, which belong into no log. */
const HUB_NAME = 'model_hub';
const STORE_NAME = 'model_hub_files';

/** A response of a hub, or of the store that it redirects to. */
export interface HubResponse extends TransportResponse {
  /** SHA-256 of the whole file, where the hub says it: it does so for large ones. */
  readonly sha256?: string | undefined;
}

/**
 * Reads files of a model hub, which may redirect to a file store elsewhere. Every origin gets an `HttpClient` with its
 * default retries, limits and breaker. Until `stop` it keeps connections.
 */
export class ModelHub {
  readonly #baseUrl: string;
  readonly #origin: string;
  readonly #token: string | undefined;
  readonly #logger: Logger;
  readonly #proxy: HttpClientOptions['proxy'];
  readonly #clients = new Map<string, HttpClient>();
  #commit: string | undefined;

  constructor({ hubUrl, token, logger, proxy }: ModelHubOptions) {
    this.#baseUrl = `${hubUrl.replace(/\/$/, '')}/`;
    this.#origin = new URL(hubUrl).origin;
    this.#token = token;
    this.#logger = logger;
    this.#proxy = proxy;
  }

  /**
   * Resolves with the last response, whatever its status, when it has begun.
   * @param path below the hub's URL, without a slash in front.
   * @throws HttpClientError, ModelLoadError for a redirect that leads nowhere
   */
  async get(path: string, headers: readonly string[], signal: AbortSignal): Promise<HubResponse> {
    let url = new URL(path, this.#baseUrl);
    let sha256: string | undefined;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await this.#send(url, headers, signal);
      const { location } = response.headers;
      if (url.origin === this.#origin) {
        sha256 ??= matching(response.headers['x-linked-etag'], SHA256);
        this.#commit ??= matching(response.headers['x-repo-commit'], COMMIT);
      }
      if (!REDIRECTS.has(response.status) || location === undefined)
        return Object.assign(response, { sha256 });
      response.discard();
      url = redirected(url, location);
    }
    throw new ModelLoadError(`the hub redirects more than ${MAX_REDIRECTS} times`);
  }

  /** The commit that the revision is, as the first response said it: the branch may move on while files are read. */
  get commit(): string | undefined {
    return this.#commit;
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#clients.values(), (client) => client.stop(0)));
  }

  #send(url: URL, headers: readonly string[], signal: AbortSignal): Promise<TransportResponse> {
    const { origin, pathname, search } = url;
    const own = origin === this.#origin && this.#token ? ['authorization', `Bearer ${this.#token}`] : [];
    return this.#clientOf(origin).request({
      origin,
      path: pathname + search,
      method: 'GET',
      headers: ['accept-encoding', 'identity', ...headers, ...own],
      signal,
    });
  }

  #clientOf(origin: string): HttpClient {
    let client = this.#clients.get(origin);
    if (!client) {
      const serviceName = origin === this.#origin ? HUB_NAME : STORE_NAME;
      // One large file after the other: the small windows of HTTP/2 would only slow them down.
      const pool = { http2: false };
      client = new HttpClient({
        serviceName,
        baseUrl: origin,
        pool,
        proxy: this.#proxy,
        logger: this.#logger,
      });
      this.#clients.set(origin, client);
    }
    return client;
  }
}

/** The value of a header without its quotes, where it is of the form that is meant. */
function matching(header: string | readonly string[] | undefined, form: RegExp): string | undefined {
  const value = String(header ?? '').replace(/^"|"$/g, '');
  return form.test(value) ? value : undefined;
}

/** Never from TLS to plain text: what comes back becomes part of this process. */
function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  const allowed = from.protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
  if (!to || !allowed.includes(to.protocol))
    throw new ModelLoadError('the hub redirects to no usable address');
  return to;
}
