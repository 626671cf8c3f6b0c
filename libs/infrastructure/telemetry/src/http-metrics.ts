import type { FinishedRequest, HttpObserver } from '@morgan/foundation';
import type { Counter } from './counter.ts';
import type { Histogram } from './histogram.ts';
import type { Metrics } from './metrics.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts HTTP requests, errors, durations and requests in flight. Every label comes from a closed set. */
export class HttpMetrics implements HttpObserver {
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #errors: Counter<'route' | 'code'>;
  readonly #duration: Histogram<'route'>;
  #inFlight = 0;

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'morgan_http_requests_total',
      help: 'HTTP requests answered, by method, route and status. 499: the client went away.',
      labels: ['method', 'route', 'status'],
    });
    this.#errors = metrics.counter({
      name: 'morgan_http_errors_total',
      help: 'Requests that this service answered with an error of its own, by route and stable code.',
      labels: ['route', 'code'],
    });
    this.#duration = metrics.histogram({
      name: 'morgan_http_request_duration_seconds',
      help: 'Time from the first byte of the request to the last byte of the answer, by route.',
      labels: ['route'],
    });
    const inFlight = {
      name: 'morgan_http_requests_in_flight',
      help: 'HTTP requests that are being answered now.',
    };
    metrics.gauge(inFlight, (gauge) => gauge.set(this.#inFlight));
  }

  started(): void {
    this.#inFlight += 1;
  }

  finished({ method, route, status, durationMs, errorCode }: FinishedRequest): void {
    this.#inFlight -= 1;
    this.#requests.inc({ method: METHODS.has(method) ? method : 'OTHER', route, status });
    this.#duration.observe({ route }, durationMs / 1000);
    if (errorCode) this.#errors.inc({ route, code: errorCode });
  }
}
