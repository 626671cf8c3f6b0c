import type { FinishedRequest, HttpObserver, Logger } from '@morgan/foundation';

const QUIET_ROUTES = new Set(['/livez', '/readyz', '/metrics']);

/** One log line per request. Routes that probes and scrapers call every few seconds are written at debug level. */
export class RequestLog implements HttpObserver {
  constructor(private readonly logger: Logger) {}

  started(): void {
    // A request is written once, when it is over.
  }

  finished(request: FinishedRequest): void {
    const { requestId, method, route, status, durationMs, errorCode, aborted, notes } = request;
    const fields: Record<string, unknown> = {
      requestId,
      method,
      route,
      status,
      durationMs: Math.round(durationMs * 10) / 10,
    };
    if (errorCode) fields['errorCode'] = errorCode;
    if (aborted) fields['aborted'] = aborted;
    Object.assign(fields, notes);
    if (QUIET_ROUTES.has(request.route)) this.logger.debug(fields, 'request');
    else if (request.status >= 500) this.logger.warn(fields, 'request');
    else this.logger.info(fields, 'request');
  }
}
