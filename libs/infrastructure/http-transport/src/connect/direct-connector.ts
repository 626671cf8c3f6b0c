import { isIP, type LookupFunction } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { buildConnector } from 'undici';

/** What a connection without a proxy is made with. */
type DirectOptions = buildConnector.BuildOptions & {
  readonly timeout: number;
  readonly lookup: LookupFunction;
};

/**
 * Connects to a name, trying its addresses in turn. Node gives up each but the last after a quarter of a second. Where the
 * others take no connection, one that may only be far away, or whose first packet was lost, gets the rest of `timeout`.
 */
export function directConnector(options: DirectOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) => {
    const startedAt = performance.now();
    connect(target, (...outcome) => {
      const slow = givenUpEarly(outcome[0]);
      const leftMs = Math.floor(options.timeout - (performance.now() - startedAt));
      if (!slow || leftMs < 1) return callback(...outcome);
      const lookup: LookupFunction = (_, { all }, found) =>
        all ? found(null, [slow]) : found(null, slow.address, slow.family);
      return buildConnector({ ...options, timeout: leftMs, lookup })(target, callback);
    });
  };
}

/** The first address that Node gave up, where none of several took the connection. */
function givenUpEarly(error: Error | null): LookupAddress | undefined {
  const { errors = [] } = (error?.cause ?? {}) as { errors?: readonly Partial<AddressFault>[] };
  const { address = '' } = errors.find(({ code }) => code === 'ETIMEDOUT') ?? {};
  const family = isIP(address);
  return family === 0 ? undefined : { address, family };
}

interface AddressFault {
  readonly code: string;
  readonly address: string;
}
