import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '@morgan/foundation';
import { HOPS_HEADER } from '@morgan/http-server';

/** A chain of more is none that somebody built: a gateway is a host of its own. */
const MOST_HOPS = 4;

/** Counts this gateway in, for whoever is asked next. @throws AppError `request_loop` */
export function countHop(headers: IncomingHttpHeaders): void {
  const said = headers[HOPS_HEADER];
  const hops = typeof said === 'string' && /^\d{1,3}$/.test(said) ? Number(said) : 0;
  if (hops >= MOST_HOPS)
    throw new AppError(
      'request_loop',
      `The request has come through ${hops} gateways: one of them has itself, or another that leads to it, for a host.`,
    );
  headers[HOPS_HEADER] = String(hops + 1);
}
