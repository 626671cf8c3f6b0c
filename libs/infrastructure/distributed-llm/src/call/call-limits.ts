import type { IncomingHttpHeaders } from 'node:http';
import type { DistributedLlmConfig } from '../client/distributed-llm.config.ts';
import type { Route } from '../routing/route-table.ts';
import type { StreamLimits } from '../streams/stream-clock.ts';

/** How long the parts of a call may take, in milliseconds, and what of a stream is taken for a response. */
export interface CallLimits {
  /** None: only the limit of all connections counts. */
  readonly connectTimeoutMs: number | undefined;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly answerTimeoutMs: number;
  /** After this a streamed call that has somewhere else to go starts there too. */
  readonly firstTokenTimeoutMs: number;
  readonly stream: Omit<StreamLimits, 'firstContentMs'>;
  /** Whether a stream that ends cleanly, but before its response did, is taken for a response. */
  readonly acceptUnfinished: boolean;
}

/** Headers by which a caller shortens a limit, in whole milliseconds. Longer times, and what is no time, change nothing. */
export const LIMIT_HEADERS = {
  connect: 'x-morgan-connect-ms',
  firstContent: 'x-morgan-first-content-ms',
  stall: 'x-morgan-stall-ms',
} as const;

/** The limits of one call: the route's, else the client's, shortened by the caller. */
export function limitsOf(
  config: DistributedLlmConfig,
  route: Route,
  headers: IncomingHttpHeaders,
): CallLimits {
  const { idleTimeoutMs, connectTimeoutMs, streams } = config;
  const { firstByteTimeoutMs = config.firstByteTimeoutMs } = route;
  const shortened = (limitMs: number, name: string) => Math.min(limitMs, saidMs(headers[name]) ?? limitMs);
  const connectMs = shortened(route.connectTimeoutMs ?? connectTimeoutMs, LIMIT_HEADERS.connect);
  return {
    connectTimeoutMs: connectMs < connectTimeoutMs ? connectMs : undefined,
    firstByteTimeoutMs: shortened(firstByteTimeoutMs, LIMIT_HEADERS.firstContent),
    idleTimeoutMs,
    answerTimeoutMs: route.answerTimeoutMs ?? config.answerTimeoutMs ?? firstByteTimeoutMs,
    firstTokenTimeoutMs: route.firstTokenTimeoutMs ?? config.firstTokenTimeoutMs,
    stream: {
      stallMs: shortened(route.stallTimeoutMs ?? streams.stallTimeoutMs, LIMIT_HEADERS.stall),
      finishMs: streams.finishTimeoutMs,
      maxEventBytes: streams.maxEventBytes,
    },
    acceptUnfinished: route.acceptUnfinished ?? streams.acceptUnfinished,
  };
}

function saidMs(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^[1-9]\d*$/.test(value) ? Number(value) : undefined;
}
