import type { IncomingHttpHeaders } from 'node:http';
import { Deadline, isObject } from '@morgan/foundation';
import type { TransportRequest } from '@morgan/http-transport';
import {
  type Dialect,
  type HostStreamOptions,
  type ResumeMode,
  type ValueSpan,
  withValues,
} from '@morgan/llm-protocol';
import type { Work } from '../hosts/history/pace.ts';
import type { RequestFacts } from '../routing/request-facts.ts';
import type { Target } from '../routing/target.ts';
import type { RepeatableUpload } from './repeatable-upload.ts';
import { brokenResponse } from '../response/broken-response.ts';
import type { CallLimits } from './call-limits.ts';
import { headersToHost } from './forwarded-headers.ts';

const OPENING = '{'.charCodeAt(0);

/** A call as every target that is tried receives it, but for its address, its credentials and the time that is left. */
export interface CallRequest {
  readonly id: string;
  readonly method: TransportRequest['method'];
  /** Below the base URL, with its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | undefined;
  /** In place of `body`. */
  readonly upload: RepeatableUpload | undefined;
  readonly facts: RequestFacts;
  readonly modelAt: ValueSpan | undefined;
  readonly streamOptionsAt: ValueSpan | undefined;
  readonly dialect: Dialect;
  readonly isStream: boolean;
  /** How many choices a streamed response has. */
  readonly choices: number;
  /** Token counts are asked for although the caller did not. */
  readonly asksUsage: boolean;
  readonly deadline: Deadline | undefined;
  readonly limits: CallLimits;
  /** How it takes up a call that broke off, if it does. */
  readonly takesUp?: ResumeMode | undefined;
  /** Attempts that were made before, if any. */
  readonly earlierAttempts?: number | undefined;
}

/** Whether it can be sent once more: of an upload only the beginning is kept. */
export function mayRepeat({ upload }: CallRequest): boolean {
  return upload?.canRepeat ?? true;
}

/** What hosts keep is all one, whatever it is called. */
const KEPT_PATH = '/responses/';

/** What a target's history of such calls goes by. */
export function workOf({ facts, dialect, isStream }: CallRequest): Work {
  return { path: dialect.isKept ? KEPT_PATH : facts.path, kind: isStream ? 'streamed' : 'whole' };
}

/** Whether the caller has something to say there itself: a host that refuses it refuses the caller. */
export function hasStreamOptions({ body, streamOptionsAt }: CallRequest): boolean {
  return streamOptionsAt !== undefined && body?.[streamOptionsAt[0]] === OPENING;
}

/** The request of one attempt. Only the bytes of `model` and `stream_options` differ from target to target. */
export function attemptRequest(
  call: CallRequest,
  target: Target,
  signal: AbortSignal,
  freshConnection: boolean,
): TransportRequest {
  const { address } = target.host;
  const { deadline, limits, upload, facts } = call;
  const model = target.model === facts.model ? undefined : target.model;
  const length = upload?.lengthWith(model);
  const headers = headersToHost(call.headers, call.id, address);
  if (deadline) headers.push(Deadline.HEADER, deadline.toHeader());
  if (length !== undefined) headers.push('content-length', String(length));
  headers.push(...address.headers);
  return {
    origin: address.origin,
    path: address.pathOfCall(call.path),
    method: call.method,
    headers,
    body: upload ? upload.send(model) : bodyFor(call, target),
    signal,
    freshConnection,
    connectTimeoutMs: limits.connectTimeoutMs,
    firstByteTimeoutMs: call.isStream ? limits.firstByteTimeoutMs : limits.answerTimeoutMs,
    // A stream has a clock of its own for silence.
    idleTimeoutMs: call.isStream
      ? Math.max(limits.idleTimeoutMs, limits.stream.stallMs)
      : limits.idleTimeoutMs,
    bodyFault: brokenResponse,
  };
}

/** How the response of an attempt is read if it is a stream. */
export function streamOptions(
  { method, dialect, choices, isStream, limits, takesUp }: CallRequest,
  { host }: Target,
  startedAt: number,
): HostStreamOptions {
  const { stream, acceptUnfinished, firstByteTimeoutMs, answerTimeoutMs } = limits;
  return {
    dialect,
    choices,
    acceptUnfinished,
    // What has been deleted need not be told of.
    mayBeNothing: method === 'DELETE',
    mayBeEmpty: takesUp === 'continue',
    startedAt,
    limits: { ...stream, firstContentMs: isStream ? firstByteTimeoutMs : answerTimeoutMs },
    withoutSecrets: host.address.withoutSecrets,
  };
}

function bodyFor(
  { body, modelAt, streamOptionsAt, facts, asksUsage }: CallRequest,
  { host, model }: Target,
): Buffer | undefined {
  if (!body) return undefined;
  const values: [ValueSpan, string][] = [];
  if (modelAt !== undefined && model !== undefined && model !== facts.model)
    values.push([modelAt, JSON.stringify(model)]);
  if (asksUsage && host.takesUsageOption) values.push(usageOption(body, streamOptionsAt));
  if (values.length === 0) return body;
  return withValues(
    body,
    values.sort(([[one]], [[other]]) => one - other),
  );
}

/** Adds the option to the `stream_options` of the request, else in front of the first field of its JSON object. */
function usageOption(body: Buffer, at: ValueSpan | undefined): [ValueSpan, string] {
  if (at === undefined) {
    const start = body.indexOf('{') + 1;
    return [[start, start], '"stream_options":{"include_usage":true},'];
  }
  const said: unknown = JSON.parse(body.toString('utf8', at[0], at[1]));
  return [at, JSON.stringify({ ...(isObject(said) && said), include_usage: true })];
}
