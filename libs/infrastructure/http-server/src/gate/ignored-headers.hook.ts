import { Deadline } from '@morgan/foundation';
import { tellIgnored } from '../ignored.ts';
import type { GateHook } from './gate.ts';
import { VIA_HEADER } from './request-context.hooks.ts';

/** How many gateways of this kind a request has come through; a service that asks nobody has no use for it. */
export const HOPS_HEADER = 'x-morgan-hops';

const OURS = 'x-morgan-';

/** Headers of requests that a service reads, by name, each with whether a value says something to it. */
export type HeadersRead = Readonly<Record<string, (value: string) => boolean>>;

/** Tells callers which headers of ours change nothing: names that nobody reads here, and values that say nothing. */
export function ignoredHeaders(read: HeadersRead): GateHook {
  const anything = () => true;
  const known = new Map(
    Object.entries({
      [Deadline.HEADER]: (value: string) => Deadline.fromHeader(value) !== undefined,
      [HOPS_HEADER]: anything,
      [VIA_HEADER]: anything,
      ...read,
    }),
  );
  return ({ headers }, reply, done) => {
    const own = Object.keys(headers).filter((name) => name.startsWith(OURS));
    const ignored = own.filter((name) => !known.get(name)?.(String(headers[name])));
    if (ignored.length > 0) tellIgnored(reply, ignored);
    done();
  };
}
