import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { MAX_TIMER_MS, parseSettings } from '@morgan/foundation';
import type { z } from 'zod';
import { Http1Pool } from './http1/http1-pool.ts';
import type { OriginPool, OriginStatus } from './origin-pool.ts';
import { ResponseHandler } from './response/response-handler.ts';
import { type HttpTransportConfig, httpTransportConfig } from './http-transport.config.ts';
import type { RequestSender, TransportRequest } from './request-sender.ts';
import { TransportError, type TransportFault } from './transport-error.ts';
import type { TransportResponse } from './response/transport-response.ts';
import { UndiciPool } from './undici/undici-pool.ts';

const NO_CONNECTIONS: OriginStatus = { connected: 0, free: 0, running: 0, waiting: 0, opened: 0, faults: {} };

/** Settings that are left out have the defaults of {@link httpTransportConfig}. */
export type HttpTransportOptions = z.input<typeof httpTransportConfig> & {
  /** How names are resolved, in place of Node's way: the operating system's, uncached. */
  readonly lookup?: LookupFunction | undefined;
};

/**
 * HTTP/1.1, or HTTP/2 where a server offers it over TLS, over one pool of kept connections per origin. Follows no
 * redirect, decompresses nothing, repeats nothing but what an HTTP/2 server says it did not begin: a request either gets
 * its response as it came or fails with one {@link TransportError}.
 */
export class HttpTransport implements RequestSender, AsyncDisposable {
  readonly #config: HttpTransportConfig;
  readonly #lookup: LookupFunction | undefined;
  readonly #pools = new Map<string, OriginPool>();
  #closed: Promise<void> | undefined;

  /** @throws ConfigError when a setting is out of its bounds or unknown. */
  constructor({ lookup, ...settings }: HttpTransportOptions = {}) {
    this.#config = parseSettings(httpTransportConfig, settings);
    this.#lookup = lookup;
  }

  /**
   * Resolves when the headers of the response are here, whatever its status.
   * @throws TransportError always with `beforeResponse: true`; later faults come out of the body.
   */
  request(request: TransportRequest): Promise<TransportResponse> {
    const { origin, signal } = request;
    if (this.#closed) return refuse(request, 'closed');
    if (signal?.aborted) return refuse(request, 'aborted', signal.reason);
    let pool: OriginPool;
    try {
      pool = this.#pool(origin);
    } catch (error) {
      return refuse(request, 'invalid_request', error);
    }
    return new Promise((onResponse, onFault) => {
      const handler = new ResponseHandler({ request, config: this.#config, pool, onResponse, onFault });
      pool.send(request, handler);
    });
  }

  /** The connections to one origin; all zero where it was never asked for. */
  statusOf(origin: string): OriginStatus {
    return this.#pools.get(origin)?.status ?? NO_CONNECTIONS;
  }

  /** By origin. */
  getStatus(): Record<string, OriginStatus> {
    return Object.fromEntries(Array.from(this.#pools, ([origin, { status }]) => [origin, status]));
  }

  /**
   * Refuses new requests, waits at most `graceMs` for those in flight, then cuts them. No socket is left. Of several calls the first
   * decides how long they wait.
   */
  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  /** Cuts what is in flight. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close(0);
  }

  async #close(graceMs: number): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>(
      (resolve) => (timer = setTimeout(resolve, Math.min(graceMs, MAX_TIMER_MS))),
    );
    await Promise.race([Promise.all(pools.map(({ counts }) => counts.none())), grace]);
    clearTimeout(timer);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #pool(origin: string): OriginPool {
    const known = this.#pools.get(origin);
    if (known) return known;
    const mayBeShared = this.#config.http2 && !origin.startsWith('http:');
    const pool = new (mayBeShared ? UndiciPool : Http1Pool)(origin, this.#config, this.#lookup);
    this.#pools.set(origin, pool);
    return pool;
  }
}

function refuse({ body }: TransportRequest, reason: TransportFault, cause?: unknown): Promise<never> {
  if (body instanceof Readable) body.destroy();
  return Promise.reject(new TransportError(reason, true, cause));
}
