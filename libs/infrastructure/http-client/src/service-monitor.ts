import { HealthMonitor, type HealthMonitorOptions, type HealthCheck } from '@morgan/health-monitor';
import type { RequestSender, TransportRequest } from '@morgan/http-transport';

const LARGEST_BYTES = 64 * 1024;

/** What a service is watched with. No policy of its client stands around the checks. */
export interface ServiceMonitorOptions extends Omit<HealthMonitorOptions, 'targets'> {
  readonly serviceName: string;
  readonly transport: RequestSender;
  readonly request: TransportRequest;
  readonly checkTimeoutMs: number;
}

/** A monitor with one target, the service. Any response below 500 will do: 401 and 404 come from a living one too. */
export function serviceMonitor(options: ServiceMonitorOptions): HealthMonitor {
  const { serviceName, transport, request, ...settings } = options;
  const { checkTimeoutMs: timeoutMs } = settings;
  const limited = { ...request, firstByteTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs };
  const check: HealthCheck = async (signal) => {
    const response = await transport.request({ ...limited, signal });
    // Read to its end, so that the connection serves the next check too.
    await response.bytes(LARGEST_BYTES).catch(() => undefined);
    return response.status < 500 ? undefined : { verdict: 'failed', reason: `http_${response.status}` };
  };
  return new HealthMonitor({ ...settings, targets: { [serviceName]: check } });
}
