import { CircuitBreakerMetrics } from '@morgan/circuit-breaker';
import { ConcurrencyMetrics } from '@morgan/concurrency';
import { HealthMetrics } from '@morgan/health-monitor';
import { HttpTransportMetrics, type OriginStatus } from '@morgan/http-transport';
import { RateLimiterMetrics } from '@morgan/rate-limiter';
import { RetryMetrics } from '@morgan/retry';
import type { Counter, Histogram, Metrics } from '@morgan/telemetry';
import type { AttemptPolicyMetrics } from './attempt-policies.ts';
import { forgetTarget } from './forget-target.ts';
import { HTTP_ERROR_CATEGORIES, type HttpErrorCategory } from './http-client-error.ts';

/** The metrics of the policies of a client, each of which a process makes once. */
export interface PolicyMetrics extends AttemptPolicyMetrics {
  readonly retry: RetryMetrics;
  readonly health: HealthMetrics;
}

/** How a call ended. */
export type CallEnd = 'ok' | HttpErrorCategory;

/** Counts the calls of one client. */
export interface CallCounter {
  ended(end: CallEnd, afterMs: number): void;
  /** The client is shown no more, nor what it has counted. */
  stopped(): void;
}

/** What a scrape reads of a client. */
interface WatchedClient {
  readonly serviceName: string;
  readonly connections: OriginStatus;
}

/** The metrics of all HTTP clients of one process, made once. Client labels are configured service names. */
export class HttpClientMetrics {
  readonly policies: PolicyMetrics;
  readonly #transport: HttpTransportMetrics;
  readonly #calls: Counter<'client' | 'outcome'>;
  readonly #seconds: Histogram<'client'>;
  readonly #watched = new Set<WatchedClient>();

  constructor(private readonly metrics: Metrics) {
    this.policies = {
      retry: new RetryMetrics(metrics),
      breaker: new CircuitBreakerMetrics(metrics),
      limiter: new RateLimiterMetrics(metrics),
      concurrency: new ConcurrencyMetrics(metrics),
      health: new HealthMetrics(metrics),
    };
    this.#transport = new HttpTransportMetrics(metrics);
    this.#calls = metrics.counter({
      name: 'morgan_http_client_calls_total',
      help: 'Calls that ended, retries included in their call, by outcome: `ok` or the category of the error.',
      labels: ['client', 'outcome'],
    });
    this.#seconds = metrics.histogram({
      name: 'morgan_http_client_call_seconds',
      help: 'Time of calls with all their attempts and waits; of a streamed response until it began.',
      labels: ['client'],
    });
  }

  /** Shows the connections of this client at every scrape. @returns what counts its calls, made once as counting is hot. */
  watch(client: WatchedClient): CallCounter {
    const unwatch = this.#transport.watch(client.serviceName, () => client.connections);
    this.#watched.add(client);
    const seconds = this.#seconds.labels({ client: client.serviceName });
    const counters = new Map(
      (['ok', ...HTTP_ERROR_CATEGORIES] as const).map((outcome) => [
        outcome,
        this.#calls.labels({ client: client.serviceName, outcome }),
      ]),
    );
    return {
      ended: (end, afterMs) => {
        counters.get(end)?.inc();
        seconds.observe(afterMs / 1000);
      },
      stopped: () => {
        unwatch();
        this.#watched.delete(client);
        this.#forget(client.serviceName);
      },
    };
  }

  /** Clients of the same name share their counts: the last one takes them along. */
  #forget(name: string): void {
    for (const { serviceName } of this.#watched) if (serviceName === name) return;
    forgetTarget(this.metrics, 'client', name);
  }
}
