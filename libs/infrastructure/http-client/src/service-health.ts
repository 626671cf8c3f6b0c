import {
  assessCall,
  type CallContext,
  type CallEnding,
  type HealthIndicator,
  type Logger,
} from '@morgan/foundation';
import {
  type HealthCheck,
  type HealthMetrics,
  HealthMonitor,
  type HealthMonitorConfig,
  type IndicatorPresentation,
  type TargetStatus,
} from '@morgan/health-monitor';
import type { RequestSender, TransportRequest } from '@morgan/http-transport';

/** The most of a response to a check that is read. */
const LARGEST_BYTES = 64 * 1024;

/** What the health of a service is found out with. No policy of the client stands around the checks. */
interface ServiceHealthParts {
  readonly serviceName: string;
  readonly transport: RequestSender;
  /** What a check sends. */
  readonly request: TransportRequest;
  readonly logger: Logger;
  readonly metrics: HealthMetrics | undefined;
}

/** The health of the one service that a client calls, by checks on a timer and by what comes of its calls. */
export class ServiceHealth {
  readonly #serviceName: string;
  readonly #monitor: HealthMonitor;

  constructor(checks: HealthMonitorConfig, parts: ServiceHealthParts) {
    const { serviceName, logger, metrics } = parts;
    this.#serviceName = serviceName;
    this.#monitor = new HealthMonitor({
      ...checks,
      targets: { [serviceName]: checkOf(parts, checks.checkTimeoutMs) },
      logger,
      ...(metrics && { metrics }),
    });
  }

  /** Begins the checks and resolves after the first. */
  start(): Promise<void> {
    return this.#monitor.start();
  }

  stop(): void {
    this.#monitor.stop();
  }

  /** An attempt has ended. 429 is about load, not about health, and counts as nothing. */
  attempted(ending: CallEnding, durationMs: number, context: CallContext): void {
    // Whatever was thrown: the check of a call is its caller's own.
    const isRefused = 'error' in ending && (Object(ending.error) as { status?: unknown }).status === 429;
    const verdict = isRefused ? 'ignored' : assessCall(ending, context).verdict;
    if (verdict === 'ignored') return;
    this.#monitor.report(this.#serviceName, { ok: verdict === 'success', durationMs });
  }

  indicator(presentation: IndicatorPresentation): HealthIndicator {
    return this.#monitor.indicatorOf(this.#serviceName, presentation);
  }

  getStatus(): TargetStatus | undefined {
    return this.#monitor.getStatus().targets[0];
  }
}

/** Any response below 500 is good: 401 and 404 come from a living service, too. */
function checkOf({ transport, request }: ServiceHealthParts, timeoutMs: number): HealthCheck {
  const limited = { ...request, firstByteTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs };
  return async (signal) => {
    const response = await transport.request({ ...limited, signal });
    // Read to its end, so that the connection serves the next check too.
    await response.bytes(LARGEST_BYTES).catch(() => undefined);
    return response.status < 500 ? undefined : { verdict: 'failed', reason: `http_${response.status}` };
  };
}
