import type { Metrics } from '@morgan/telemetry';
import type { OriginStatus } from './origin-pool.ts';

/** What the connections to one origin are like now. */
type PoolReading = () => OriginStatus;

/**
 * The metrics of all connection pools of one process, made once. The label is the name under which a pool is watched:
 * that of a configured host or service, never an address.
 */
export class HttpTransportMetrics {
  readonly #pools = new Map<string, PoolReading>();

  constructor(metrics: Metrics) {
    metrics.gauge(
      {
        name: 'morgan_http_transport_connections',
        help: 'Open connections now: `free` ones could take a request, `busy` ones could not.',
        labels: ['pool', 'state'],
      },
      (gauge) => {
        this.#each((pool, { connected, free }) => {
          gauge.set({ pool, state: 'free' }, free);
          gauge.set({ pool, state: 'busy' }, connected - free);
        });
      },
    );
    metrics.gauge(
      {
        name: 'morgan_http_transport_waiting',
        help: 'Requests that wait for a connection now.',
        labels: ['pool'],
      },
      (gauge) => this.#each((pool, { waiting }) => gauge.set({ pool }, waiting)),
    );
    metrics.counter(
      {
        name: 'morgan_http_transport_connections_opened_total',
        help: 'Connections made. Kept ones serve many requests: where this grows like the requests, none is kept.',
        labels: ['pool'],
      },
      (counter) => this.#each((pool, { opened }) => (counter.labels({ pool }).value = opened)),
    );
    metrics.counter(
      {
        name: 'morgan_http_transport_faults_total',
        help: 'Requests that failed on the wire, by reason.',
        labels: ['pool', 'reason'],
      },
      (counter) =>
        this.#each((pool, { faults }) => {
          for (const [reason, count] of Object.entries(faults))
            counter.labels({ pool, reason }).value = count;
        }),
    );
  }

  /** Shows a pool under this name at every scrape, in place of an earlier one. @returns what ends that. */
  watch(pool: string, read: PoolReading): () => void {
    this.#pools.set(pool, read);
    return () => {
      if (this.#pools.get(pool) === read) this.#pools.delete(pool);
    };
  }

  #each(show: (pool: string, status: OriginStatus) => void): void {
    for (const [pool, read] of this.#pools) show(pool, read());
  }
}
