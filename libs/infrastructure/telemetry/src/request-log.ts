import type { FinishedRequest, HttpObserver } from '@morgan/foundation';
import type { ServiceLogger } from './pino-logger.ts';

const QUIET_ROUTES = new Set(['/livez', '/readyz', '/metrics']);

/** One log line per request. Routes that probes and scrapers call every few seconds are written at debug level. */
export class RequestLog implements HttpObserver {
  constructor(private readonly logger: Pick<ServiceLogger, 'plain'>) {}

  started(): void {
    // A request is written once, when it is over.
  }

  finished(request: FinishedRequest): void {
    const { requestId, method, route, status, durationMs, caller, errorCode, aborted, notes } = request;
    const fields: Record<string, unknown> = {
      requestId,
      method,
      route,
      status,
      durationMs: Math.round(durationMs * 10) / 10,
    };
    if (caller) fields['caller'] = caller;
    if (errorCode) fields['errorCode'] = errorCode;
    if (aborted) fields['aborted'] = aborted;
    Object.assign(fields, notes);
    fields['msg'] = 'request';
    this.logger.plain(levelOf(request), fields as { msg: string });
  }
}

function levelOf({ route, status }: FinishedRequest): 'debug' | 'info' | 'warn' {
  if (QUIET_ROUTES.has(route)) return 'debug';
  return status >= 500 ? 'warn' : 'info';
}
