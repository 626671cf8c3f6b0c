import type { FinishedRequest, HttpObserver, Logger } from '@morgan/foundation';

const QUIET_ROUTES = new Set(['/livez', '/readyz', '/metrics']);

/** One log line per request. Routes that probes and scrapers call every few seconds are written at debug level. */
export class RequestLog implements HttpObserver {
  constructor(private readonly logger: Logger) {}

  started(): void {
    // A request is written once, when it is over.
  }

  finished(request: FinishedRequest): void {
    const { notes, durationMs, aborted, errorCode, ...rest } = request;
    const fields = {
      ...rest,
      durationMs: Math.round(durationMs * 10) / 10,
      ...(errorCode ? { errorCode } : {}),
      ...(aborted ? { aborted } : {}),
      ...notes,
    };
    if (QUIET_ROUTES.has(request.route)) this.logger.debug(fields, 'request');
    else if (request.status >= 500) this.logger.warn(fields, 'request');
    else this.logger.info(fields, 'request');
  }
}
