import { Pool } from 'undici';
import { Exchange } from './exchange.ts';
import { TransportError } from './transport-error.ts';
import type { TransportResponse } from './transport-response.ts';

/** What holds for every connection of a transport. */
export interface HttpTransportOptions {
  /** The most connections to one origin; further requests wait. */
  readonly maxConnections: number;
  /** For name, TCP and TLS together. Coarse: up to a second late. */
  readonly connectTimeoutMs: number;
  /**
   * How long an idle connection is kept where the server names no time of its own. Keep it below the server's: a
   * request that meets a closing connection fails with `reset`, because nobody can know whether it was processed.
   */
  readonly keepAliveTimeoutMs: number;
}

/** One HTTP request. Nothing is added to it but `host`, `connection` and `content-length`. */
export interface TransportRequest {
  /** Scheme, host and port, such as `http://10.0.0.1:8000`. Each one met gets a pool of its own, for good. */
  readonly origin: string;
  /** Path and query, starting with a slash. */
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Names and values in turn. */
  readonly headers?: string[];
  /** Sent byte for byte. */
  readonly body?: Buffer | undefined;
  /** Aborting it closes the connection at once, before or during the answer. */
  readonly signal?: AbortSignal | undefined;
  /** From the call of `request` to the headers of the answer: the wait for a connection counts. */
  readonly firstByteTimeoutMs: number;
  /** The longest silence within the body. Coarse: up to a second late. Time in which the reader is slow does not count. */
  readonly idleTimeoutMs: number;
  /** What the reader of the body meets instead of the {@link TransportError}. */
  readonly bodyFault?: (error: TransportError) => Error;
}

/** The connections to one origin. */
export interface OriginStatus {
  readonly connected: number;
  readonly free: number;
  /** Requests that are being answered. */
  readonly running: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
}

/**
 * HTTP/1.1 over one pool of kept connections per origin. Follows no redirect, decompresses nothing, repeats nothing:
 * a request either gets its answer as it came or fails with one {@link TransportError}.
 */
export class HttpTransport {
  readonly #options: HttpTransportOptions;
  readonly #pools = new Map<string, Pool>();
  #closed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the headers of the answer are here, whatever its status.
   * @throws TransportError always with `beforeResponse: true`; later faults come out of the body.
   */
  request(request: TransportRequest): Promise<TransportResponse> {
    const { origin, path, method, headers, body, signal, firstByteTimeoutMs, idleTimeoutMs, bodyFault } =
      request;
    if (this.#closed) return Promise.reject(new TransportError('closed', true));
    if (signal?.aborted) return Promise.reject(new TransportError('aborted', true, signal.reason));
    return new Promise((onResponse, onFault) => {
      this.#pool(origin).dispatch(
        {
          path,
          method,
          headers: headers ?? null,
          body: body ?? null,
          headersTimeout: 0,
          bodyTimeout: idleTimeoutMs,
        },
        new Exchange({ signal, firstByteTimeoutMs, bodyFault, onResponse, onFault }),
      );
    });
  }

  getStatus(): Record<string, OriginStatus> {
    return Object.fromEntries(
      Array.from(this.#pools, ([origin, { stats }]) => {
        const { connected, free, running, pending } = stats;
        return [origin, { connected, free, running, waiting: pending }];
      }),
    );
  }

  /** Refuses new requests, waits at most `graceMs` for those in flight, then cuts them. No socket is left. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([Promise.all(pools.map((pool) => pool.close())), grace]);
    clearTimeout(timer);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #pool(origin: string): Pool {
    const known = this.#pools.get(origin);
    if (known) return known;
    const { maxConnections, connectTimeoutMs, keepAliveTimeoutMs } = this.#options;
    const pool = new Pool(origin, {
      connections: maxConnections,
      connectTimeout: connectTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      allowH2: false,
    });
    this.#pools.set(origin, pool);
    return pool;
  }
}
