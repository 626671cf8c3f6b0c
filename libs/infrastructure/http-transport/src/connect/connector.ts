import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { directConnector } from './direct-connector.ts';
import type { HttpTransportConfig } from '../http-transport.config.ts';
import { isProxied, proxyConnector } from './proxy-connector.ts';

/**
 * What makes the connections to an origin: a proxy where there is one for it, else its addresses in turn.
 * @param signal cuts what is being made. Node keeps a listener on it for each connection, so it must not live longer than one.
 */
export function connectorTo(
  origin: string,
  { tls, proxy, connectTimeoutMs: timeout, http2: allowH2 }: HttpTransportConfig,
  lookup: LookupFunction,
  signal?: AbortSignal,
): buildConnector.connector {
  // The name in SNI has no dot at its end (RFC 6066, 3): servers know no certificate for one that has.
  const servername = tls.servername ?? nameWithDot(origin)?.slice(0, -1);
  const options = {
    ...tls,
    ...(servername !== undefined && { servername }),
    timeout,
    allowH2,
    ...(signal && { signal }),
  };
  if (!proxy || !isProxied(origin, proxy)) return directConnector({ ...options, lookup });
  return proxyConnector(proxy, options);
}

function nameWithDot(origin: string): string | undefined {
  const { hostname } = new URL(origin);
  return hostname.endsWith('.') ? hostname : undefined;
}

/** Whether an origin is an address, which needs no asking again for what it stands for. */
export function isAddress(origin: string): boolean {
  return isIP(new URL(origin).hostname.replace(/^\[|\]$/g, '')) !== 0;
}
