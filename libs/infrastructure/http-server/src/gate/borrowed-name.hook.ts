import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { AppError } from '@morgan/foundation';
import type { GateHook } from './gate.ts';
import { contextOf } from '../http-exchange.ts';
import { isLoopback } from '../loopback.ts';

/** Names that nobody can have the world's name servers answer for. */
const OF_OWN_NETWORKS = /(^|\.)(localhost|local|internal|lan|home\.arpa|test)$/;
const PAGE = /^http:\/\/([^/]+)$/;

/**
 * Where nobody needs a key and the service listens on loopback alone: keeps pages out whose name somebody has let resolve to
 * 127.0.0.1 (DNS rebinding). For the browser such a page asks the server that it comes from, so that no preflight stops
 * it. Whatever asks by another way than a page is let in, and so is a page of `https:`, which has a proxy between.
 * @param host that the service listens on
 * @param origins those that may call by configuration
 */
export function borrowedName(host: string, origins: readonly string[]): GateHook | undefined {
  if (!isLoopback(host) || origins.includes('*')) return undefined;
  return (request, _reply, done) => {
    const { origin, host: asked } = request.headers;
    const isBorrowed =
      origin !== undefined &&
      contextOf(request).caller === undefined &&
      PAGE.exec(origin)?.[1] === asked?.toLowerCase() &&
      !origins.includes(origin) &&
      !isOfOwnNetwork(origin);
    if (!isBorrowed) return done();
    done(
      new AppError(
        'origin_not_allowed',
        'This service has no API keys and is for this machine, and a page of another name asks. Configure keys, or name its origin in CORS_ORIGINS.',
      ),
    );
  };
}

function isOfOwnNetwork(origin: string): boolean {
  const name =
    URL.parse(origin)
      ?.hostname.replace(/^\[|\]$/g, '')
      .replace(/\.$/, '') ?? '';
  return (
    isIP(name) !== 0 || !name.includes('.') || name === hostname().toLowerCase() || OF_OWN_NETWORKS.test(name)
  );
}
