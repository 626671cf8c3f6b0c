import { HttpTransport, type RequestSender } from '@morgan/http-transport';
import type { LlmHost } from '../hosts/host-list.ts';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';

/** Below the 5 s after which Node servers close idle connections, so that ours do not meet that end. */
const KEEP_ALIVE_MS = 4_000;

/** The settings that connections are made with: a reload does not change them. */
export const CONNECTION_SETTINGS = ['maxConnections', 'connectTimeoutMs', 'proxy'] as const;

/** The settings of a transport to LLM hosts. */
export function hostTransportOptions({ maxConnections, connectTimeoutMs, proxy }: DistributedLlmConfig) {
  const { url, except } = proxy;
  return {
    ...(url !== undefined && { proxy: { url, except } }),
    maxConnections,
    connectTimeoutMs,
    keepAliveTimeoutMs: KEEP_ALIVE_MS,
    // Load on a gateway comes in waves; what one wave opened serves the next.
    maxKeepalive: maxConnections,
    // A request may wait for a connection as long as for its response, and a host may read as slowly as it likes.
    poolTimeoutMs: null,
    writeTimeoutMs: null,
    // Headers are passed on as they came; HTTP/2 keeps neither spelling nor repetition.
    http2: false,
  };
}

/** The way to each host: the shared transport, or one of its own where it has certificates of its own. */
export class HostTransports {
  readonly #own = new Map<LlmHost, HttpTransport>();
  readonly #config: DistributedLlmConfig;
  readonly #made: HttpTransport | undefined;
  readonly #shared: HttpTransport;

  /**
   * @param config what connections are made with, for good.
   * @param shared is closed by whoever made it. None: one is made here.
   */
  constructor(config: DistributedLlmConfig, shared: HttpTransport | undefined) {
    this.#config = config;
    this.#made = shared ? undefined : new HttpTransport(hostTransportOptions(config));
    this.#shared = shared ?? (this.#made as HttpTransport);
  }

  /** @param host by identity: one of the same name that came with a reload is another. */
  of(host: LlmHost): HttpTransport & RequestSender {
    return this.#own.get(host) ?? this.#shared;
  }

  add(host: LlmHost): void {
    const { tls } = host;
    if (tls) this.#own.set(host, new HttpTransport({ ...hostTransportOptions(this.#config), tls }));
  }

  /** The host is gone, and so are its calls. */
  async release(host: LlmHost): Promise<void> {
    const own = this.#own.get(host);
    this.#own.delete(host);
    await own?.close(0);
  }

  /** Closes those that were made here. */
  async close(graceMs: number): Promise<void> {
    const made = [...this.#own.values(), ...(this.#made ? [this.#made] : [])];
    await Promise.all(made.map((transport) => transport.close(graceMs)));
  }
}
