import type { IncomingHttpHeaders } from 'node:http';
import { TransportError } from '@morgan/http-transport';
import { StreamFault, type StreamLimits } from '@morgan/llm-protocol';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';
import type { Route } from '../routing/route-table.ts';

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
  /** Which of them the caller has shortened. */
  readonly ofCaller: { readonly connect: boolean; readonly firstContent: boolean; readonly stall: boolean };
}

/** Headers by which a caller shortens a limit, in milliseconds. Longer times, and what is no time, change nothing. */
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
  const { connectTimeoutMs: connectLimitMs = connectTimeoutMs, stallTimeoutMs = streams.stallTimeoutMs } =
    route;
  const connectMs = shortened(connectLimitMs, LIMIT_HEADERS.connect);
  const firstContentMs = shortened(firstByteTimeoutMs, LIMIT_HEADERS.firstContent);
  const stallMs = shortened(stallTimeoutMs, LIMIT_HEADERS.stall);
  return {
    connectTimeoutMs: connectMs < connectTimeoutMs ? connectMs : undefined,
    firstByteTimeoutMs: firstContentMs,
    idleTimeoutMs,
    answerTimeoutMs: route.answerTimeoutMs ?? config.answerTimeoutMs ?? firstByteTimeoutMs,
    firstTokenTimeoutMs: route.firstTokenTimeoutMs ?? config.firstTokenTimeoutMs,
    stream: {
      stallMs,
      finishMs: streams.finishTimeoutMs,
      maxEventBytes: streams.maxEventBytes,
    },
    acceptUnfinished: route.acceptUnfinished ?? streams.acceptUnfinished,
    ofCaller: {
      connect: connectMs < connectLimitMs,
      firstContent: firstContentMs < firstByteTimeoutMs,
      stall: stallMs < stallTimeoutMs,
    },
  };
}

/** Whether an attempt ended by a limit that its caller has shortened, which is no measure of a host. */
export function isByCaller(cause: unknown, { ofCaller }: CallLimits): boolean {
  if (!(cause instanceof TransportError || cause instanceof StreamFault)) return false;
  const { reason } = cause;
  if (reason === 'connect_timeout') return ofCaller.connect;
  if (reason === 'stalled') return ofCaller.stall;
  return ofCaller.firstContent && (reason === 'first_byte_timeout' || reason === 'first_content_timeout');
}

/** Milliseconds of one of {@link LIMIT_HEADERS}; undefined for what is no time. */
export function saidMs(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^[1-9]\d*(\.\d+)?$/.test(value) ? Number(value) : undefined;
}
