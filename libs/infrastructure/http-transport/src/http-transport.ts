import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { MAX_TIMER_MS } from '@morgan/foundation';
import type { z } from 'zod';
import { ConnectionPool, type OriginStatus } from './connection-pool.ts';
import { ResponseHandler } from './response-handler.ts';
import { type HttpTransportConfig, httpTransportConfig } from './http-transport.config.ts';
import type { RequestSender, TransportRequest } from './request-sender.ts';
import { TransportError, type TransportFault } from './transport-error.ts';
import type { TransportResponse } from './transport-response.ts';

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
export class HttpTransport implements RequestSender {
  readonly #config: HttpTransportConfig;
  readonly #lookup: LookupFunction | undefined;
  readonly #pools = new Map<string, ConnectionPool>();
  #closed: Promise<void> | undefined;

  /** @throws ZodError when a setting is out of its bounds or unknown. */
  constructor({ lookup, ...settings }: HttpTransportOptions = {}) {
    this.#config = httpTransportConfig.parse(settings);
    this.#lookup = lookup;
  }

  /**
   * Resolves when the headers of the response are here, whatever its status.
   * @throws TransportError always with `beforeResponse: true`; later faults come out of the body.
   */
  request(request: TransportRequest): Promise<TransportResponse> {
    const { origin, path, method, signal } = request;
    if (this.#closed) return refuse(request, 'closed');
    if (signal?.aborted) return refuse(request, 'aborted', signal.reason);
    let pool: ConnectionPool;
    try {
      pool = this.#pool(origin);
    } catch (error) {
      return refuse(request, 'invalid_request', error);
    }
    return new Promise((onResponse, onFault) => {
      const handler = new ResponseHandler({ request, config: this.#config, pool, onResponse, onFault });
      // undici takes what can be iterated as well; its types do not say so.
      const body = (handler.body ?? null) as Buffer | null;
      pool.dispatch(
        {
          path,
          method,
          headers: headersFor(request, body),
          body,
          headersTimeout: 0,
          // 0 would be no limit.
          bodyTimeout: Math.max(1, request.idleTimeoutMs ?? this.#config.readTimeoutMs),
        },
        handler,
      );
      handler.limitWait();
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

  async #close(graceMs: number): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>(
      (resolve) => (timer = setTimeout(resolve, Math.min(graceMs, MAX_TIMER_MS))),
    );
    await Promise.race([Promise.all(pools.map((pool) => pool.close())), grace]);
    clearTimeout(timer);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #pool(origin: string): ConnectionPool {
    const known = this.#pools.get(origin);
    if (known) return known;
    const pool = new ConnectionPool(origin, this.#config, this.#lookup);
    this.#pools.set(origin, pool);
    return pool;
  }
}

/** Bytes that are here have a length, also where they go out in slices. */
function headersFor({ headers = [], body }: TransportRequest, sent: unknown): string[] {
  if (!Buffer.isBuffer(body) || sent === body) return headers;
  const isNamed = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
  return isNamed ? headers : [...headers, 'content-length', String(body.length)];
}

function refuse({ body }: TransportRequest, reason: TransportFault, cause?: unknown): Promise<never> {
  if (body instanceof Readable) body.destroy();
  return Promise.reject(new TransportError(reason, true, cause));
}
