import type { IncomingHttpHeaders } from 'node:http';
import { Deadline } from '@morgan/foundation';
import type { TransportRequest } from '@morgan/http-transport';
import type { Dialect } from '../dialects/dialect.ts';
import { withModel } from '../routing/body-facts.ts';
import type { RequestFacts } from '../routing/request-facts.ts';
import type { Target } from '../routing/target.ts';
import { brokenAnswer } from './call-error.ts';
import { headersToHost } from './forwarded-headers.ts';

/** A call as every target that is tried receives it, but for its address, its credentials and the time that is left. */
export interface CallRequest {
  readonly id: string;
  readonly method: TransportRequest['method'];
  /** Below the base URL, with its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  readonly facts: RequestFacts;
  readonly modelAt: readonly [start: number, end: number] | undefined;
  readonly dialect: Dialect;
  readonly isStream: boolean;
  /** Token counts are asked for although the caller did not. */
  readonly asksUsage: boolean;
  readonly deadline: Deadline | undefined;
  readonly limits: CallLimits;
}

/** How long things may take, in milliseconds. */
export interface CallLimits {
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly answerTimeoutMs: number;
  /** After this a streamed call that has somewhere else to go starts there too. */
  readonly firstTokenTimeoutMs: number;
}

/** The request of one attempt. Only the bytes of `model` differ from target to target. */
export function attemptRequest(call: CallRequest, target: Target, signal: AbortSignal): TransportRequest {
  const { address } = target.host;
  const { deadline, limits } = call;
  return {
    origin: address.origin,
    path: address.pathOf(call.path),
    method: call.method,
    headers: [
      ...headersToHost(call.headers, call.id),
      ...(deadline ? [Deadline.HEADER, deadline.toHeader()] : []),
      ...address.headers,
    ],
    body: bodyFor(call, target),
    signal,
    firstByteTimeoutMs: call.isStream ? limits.firstByteTimeoutMs : limits.answerTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    bodyFault: brokenAnswer,
  };
}

function bodyFor(
  { body, modelAt, facts, asksUsage }: CallRequest,
  { host, model }: Target,
): Buffer | undefined {
  if (!body) return undefined;
  const isOther = modelAt !== undefined && model !== undefined && model !== facts.model;
  const named = isOther ? withModel(body, modelAt, model) : body;
  return asksUsage && host.takesUsageOption ? withUsageOption(named) : named;
}

const USAGE_OPTION = Buffer.from('"stream_options":{"include_usage":true},');

/** The body of a request that has no `stream_options` yet. It is known to be an object with a model. */
function withUsageOption(body: Buffer): Buffer {
  const start = body.indexOf('{') + 1;
  return Buffer.concat([body.subarray(0, start), USAGE_OPTION, body.subarray(start)]);
}
