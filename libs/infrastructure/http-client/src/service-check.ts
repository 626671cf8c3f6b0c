import type { ProbeFunction } from '@morgan/health-monitor';
import type { HttpTransport, TransportRequest } from '@morgan/http-transport';

const LARGEST_BYTES = 64 * 1024;

/** How to ask a service how it is. */
export interface ServiceCheckOptions {
  readonly transport: HttpTransport;
  readonly request: TransportRequest;
  readonly timeoutMs: number;
}

/** Any answer below 500 will do: 401 and 404 come from a living service too. No policy stands around a check. */
export function serviceCheck({ transport, request, timeoutMs }: ServiceCheckOptions): ProbeFunction {
  const limited = { ...request, firstByteTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs };
  return async (signal) => {
    const response = await transport.request({ ...limited, signal });
    // Read to its end, so that the connection serves the next check too.
    await response.bytes(LARGEST_BYTES).catch(() => undefined);
    return response.status < 500 ? undefined : { verdict: 'failed', reason: `http_${response.status}` };
  };
}
