import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { isExcepted } from './proxy-exceptions.ts';

/** A forward proxy, and where it is not used. */
export interface ProxyRoute {
  readonly url: string;
  /** As in `NO_PROXY`, see {@link isExcepted}. */
  readonly except: string;
}

/** Whether connections to an origin go through a proxy: those to `https:` origins that are not excepted. */
export function isProxied(origin: string, { except }: ProxyRoute): boolean {
  return origin.startsWith('https:') && !isExcepted(origin, except);
}

/** Connects through a proxy by CONNECT; what is said in the tunnel the proxy cannot read. */
export function proxyConnector(
  { url }: ProxyRoute,
  options: buildConnector.BuildOptions & { readonly timeout: number },
): buildConnector.connector {
  const secure = buildConnector(options);
  return (target, callback) => {
    const fail = (error: Error) => callback(error, null);
    const request = connectRequest(new URL(url), authorityOf(target));
    request.setTimeout(options.timeout, () => {
      request.destroy(
        Object.assign(new Error('The proxy did not answer.'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
      );
    });
    request.once('error', fail);
    request.once('connect', ({ statusCode = 0 }, socket: Duplex) => {
      request.off('error', fail);
      if (statusCode === 200) return secure({ ...target, httpSocket: socket as Socket }, callback);
      socket.destroy();
      fail(new Error(`The proxy answered CONNECT with status ${statusCode}.`));
    });
    request.end();
  };
}

/** undici takes the brackets from an address of IPv6. */
function authorityOf({ hostname, port }: buildConnector.Options): string {
  return `${hostname.includes(':') ? `[${hostname.replace(/^\[|\]$/g, '')}]` : hostname}:${port || '443'}`;
}

function connectRequest(proxy: URL, authority: string) {
  const { protocol, hostname, port, username, password } = proxy;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
  return (protocol === 'https:' ? httpsRequest : httpRequest)({
    method: 'CONNECT',
    // An address of IPv6 has brackets in a URL only.
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    path: authority,
    headers: { host: authority, ...(username !== '' && authorization) },
    agent: false,
  });
}
