import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { ConnectionPool } from './connection-pool.ts';
import { Exchange } from './exchange.ts';
import { TransportError } from './transport-error.ts';
import type { TransportResponse } from './transport-response.ts';
import type { RequestBody } from './upload.ts';

/** How `https:` origins are met. What is left out is Node's default: its certificate authorities, no own certificate. */
export interface TransportTls {
  /** The authorities to trust in place of Node's, in PEM. */
  readonly ca?: string | Buffer | (string | Buffer)[];
  /** The certificate to show where a server asks for one (mTLS), in PEM, with its chain. */
  readonly cert?: string | Buffer;
  /** The key of `cert`, in PEM. */
  readonly key?: string | Buffer;
  /** The name to ask for (SNI) and to find in the certificate, in place of the origin's host. */
  readonly servername?: string;
  /** Only `false` accepts a certificate that cannot be verified: for tests, never in production. */
  readonly rejectUnauthorized?: boolean;
}

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
  /** The longest wait for a connection to become free. Without it only `firstByteTimeoutMs` ends the wait. */
  readonly poolTimeoutMs?: number;
  /**
   * The longest time in which the other side takes no 64 KiB of a request body. A slow source of a streamed body does
   * not count, and nothing does once the answer began. Bodies within 64 KiB are not watched.
   */
  readonly writeTimeoutMs?: number;
  readonly tls?: TransportTls;
  /**
   * Whether to speak HTTP/2 with servers that offer it over TLS: up to 100 requests share a connection. A server that
   * does not offer it gets HTTP/1.1.
   */
  readonly http2?: boolean;
  /** The most connections to one origin that stay idle, 20 if not given. What stays over that is closed within about a second. */
  readonly maxKeepalive?: number;
  /**
   * The age at which a connection to a name is replaced before its next request, 60,000 if not given: the name is
   * resolved again, so that a changed record is honoured. A request under way is left alone.
   */
  readonly maxConnectionAgeMs?: number;
  /** How names are resolved, in place of Node's way: the operating system's, uncached. */
  readonly lookup?: LookupFunction;
}

/** One HTTP request. Nothing is added to it but `host`, `connection` and `content-length`. */
export interface TransportRequest {
  /** Scheme, host and port, such as `http://10.0.0.1:8000`. Each one met gets a pool of its own, for good. */
  readonly origin: string;
  /** Path and query, starting with a slash. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Names and values in turn. */
  readonly headers?: string[];
  /**
   * Sent byte for byte. A stream goes out as it comes, chunked unless `headers` name a `content-length`; it is
   * destroyed when the request ends before it, and read once, so such a request cannot be repeated.
   */
  readonly body?: RequestBody | undefined;
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
 * HTTP/1.1, or HTTP/2 where that is asked for, over one pool of kept connections per origin. Follows no redirect, decompresses nothing, repeats nothing:
 * a request either gets its answer as it came or fails with one {@link TransportError}.
 */
export class HttpTransport {
  readonly #options: HttpTransportOptions;
  readonly #pools = new Map<string, ConnectionPool>();
  #closed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the headers of the answer are here, whatever its status.
   * @throws TransportError always with `beforeResponse: true`; later faults come out of the body.
   */
  request(request: TransportRequest): Promise<TransportResponse> {
    const { origin, path, method, headers, signal, idleTimeoutMs } = request;
    const refusal = this.#closed ? 'closed' : signal?.aborted ? 'aborted' : undefined;
    if (refusal) {
      if (request.body instanceof Readable) request.body.destroy();
      return Promise.reject(new TransportError(refusal, true, signal?.reason));
    }
    const { poolTimeoutMs, writeTimeoutMs } = this.#options;
    return new Promise((onResponse, onFault) => {
      const exchange = new Exchange({ ...request, poolTimeoutMs, writeTimeoutMs, onResponse, onFault });
      const body = exchange.body ?? null;
      this.#pool(origin).dispatch(
        { path, method, headers: headers ?? null, body, headersTimeout: 0, bodyTimeout: idleTimeoutMs },
        exchange,
      );
      exchange.limitWait();
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

  #pool(origin: string): ConnectionPool {
    const known = this.#pools.get(origin);
    if (known) return known;
    const pool = new ConnectionPool(origin, this.#options);
    this.#pools.set(origin, pool);
    return pool;
  }
}
