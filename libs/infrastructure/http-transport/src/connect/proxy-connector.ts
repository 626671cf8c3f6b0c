import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { unescape } from 'node:querystring';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { isExcepted } from './proxy-exceptions.ts';

/** A forward proxy, and where it is not used. */
interface ProxyRoute {
  readonly url: string;
  /** As in `NO_PROXY`, see {@link isExcepted}. */
  readonly except: string;
}

/** Whether connections to an origin go through a proxy: those to `https:` origins that are not excepted. */
export function isProxied(origin: string, { except }: ProxyRoute): boolean {
  return origin.startsWith('https:') && !isExcepted(origin, except);
}

/** Connects through a proxy by CONNECT, within `timeout` for all of it; what is said in the tunnel the proxy cannot read. */
export function proxyConnector(
  { url }: ProxyRoute,
  options: buildConnector.BuildOptions & { readonly timeout: number },
): buildConnector.connector {
  const secure = buildConnector(options);
  return (target, callback) => {
    let isOver = false;
    let tunnel: Duplex | undefined;
    /** Calls back once: what is cut at the end of its time has a fault of its own. */
    const finish: buildConnector.Callback = (...outcome) => {
      clearTimeout(timer);
      if (!isOver) callback(...outcome);
      isOver = true;
    };
    const request = connectRequest(new URL(url), authorityOf(target));
    // Not the time-out of the request: that one begins when the proxy has taken the connection, which it may never do.
    const timer = setTimeout(() => {
      const late = new Error('The way through the proxy was not open in time.');
      finish(Object.assign(late, { code: 'UND_ERR_CONNECT_TIMEOUT' }), null);
      request.destroy();
      tunnel?.destroy();
    }, options.timeout);
    request.on('error', (error) => finish(error, null));
    request.once('connect', ({ statusCode = 0 }, socket: Duplex) => {
      tunnel = socket;
      if (isTunnel(statusCode)) return secure({ ...target, httpSocket: socket as Socket }, finish);
      socket.destroy();
      finish(new Error(`The proxy answered CONNECT with status ${statusCode}.`), null);
    });
    request.end();
  };
}

/** Any status of success opens the tunnel (RFC 9110, 9.3.6). */
function isTunnel(status: number): boolean {
  return status >= 200 && status < 300;
}

/** undici takes the brackets from an address of IPv6. */
function authorityOf({ hostname, port }: buildConnector.Options): string {
  return `${hostname.includes(':') ? `[${hostname.replace(/^\[|\]$/g, '')}]` : hostname}:${port || '443'}`;
}

function connectRequest(proxy: URL, authority: string) {
  const { protocol, hostname, port, username, password } = proxy;
  // A password with a bare `%` is taken as it stands, as curl does: `decodeURIComponent` would throw.
  const credentials = `${unescape(username)}:${unescape(password)}`;
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
