import type { Logger } from '@morgan/foundation';
import { type HealthMetrics, HealthMonitor, type HealthCheck } from '@morgan/health-monitor';
import { type HttpTransport, TransportError } from '@morgan/http-transport';
import type { Host } from './host.ts';
import { readModelList } from './model-list.ts';

/** What the health of hosts is found out with. */
export interface HostHealthOptions {
  readonly transport: HttpTransport;
  readonly logger: Logger;
  readonly metrics: { readonly health: HealthMetrics };
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
}

/**
 * How soon a mind is changed about a host. One late probe is no proof, and a host that is down is only asked last, so
 * two must fail. One good probe brings it back: slow start and the breaker guard what follows. Live faults count for
 * more than the breaker's five: whatever callers send, their errors alone should not take the service out of rotation.
 */
const THRESHOLDS = { failureThreshold: 2, successThreshold: 1, liveFailureThreshold: 10 };

/** Watches the hosts, each a target under its own name; their probes keep their lists of models up to date. */
export function watchHosts(hosts: readonly Host[], options: HostHealthOptions): HealthMonitor {
  const { logger, metrics, probeIntervalMs, probeTimeoutMs } = options;
  return new HealthMonitor({
    targets: Object.fromEntries(hosts.map((host) => [host.name, indicatorOf(host, options)])),
    checkIntervalMs: probeIntervalMs,
    checkTimeoutMs: probeTimeoutMs,
    ...THRESHOLDS,
    logger,
    metrics: metrics.health,
  });
}

/** Asks for the list of models, which costs no tokens. Any answer below 500 will do: a living server gives 401 and 404. */
function indicatorOf(host: Host, { transport, probeTimeoutMs }: HostHealthOptions): HealthCheck {
  const headers = ['accept', 'application/json'];
  if (host.authorization) headers.push('authorization', host.authorization);
  return async (signal) => {
    try {
      const { status, body } = await transport.request({
        origin: host.origin,
        path: `${host.basePath}/models`,
        method: 'GET',
        headers,
        signal,
        firstByteTimeoutMs: probeTimeoutMs,
        idleTimeoutMs: probeTimeoutMs,
      });
      if (status !== 200) {
        body.destroy();
        return status >= 500 ? { verdict: 'failed', reason: 'server_error' } : undefined;
      }
      const models = await readModelList(body);
      if (models) host.serves(models);
      return undefined;
    } catch (error) {
      if (error instanceof TransportError) return { verdict: 'failed', reason: error.reason };
      throw error;
    }
  };
}
