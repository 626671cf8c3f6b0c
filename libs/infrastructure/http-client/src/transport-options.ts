import type { HttpTransportOptions } from '@morgan/http-transport';
import type { HttpClientConfig } from './http-client.config.ts';

/** What a client's configuration says to its transport. */
export function transportOptions(
  { pool, timeout, tls, proxy }: HttpClientConfig,
  lookup: HttpTransportOptions['lookup'],
): HttpTransportOptions {
  return {
    ...pool,
    connectTimeoutMs: timeout.connectMs,
    readTimeoutMs: timeout.readMs,
    writeTimeoutMs: timeout.writeMs,
    poolTimeoutMs: timeout.poolMs,
    tls,
    proxy,
    lookup,
  };
}
