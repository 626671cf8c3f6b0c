import type { Route } from '../routing/route-table.ts';
import type { Target } from '../routing/target.ts';
import type { HostStream } from '../streams/host-stream.ts';
import type { Attempt, AttemptResult } from './attempt.ts';
import type { CallRequest } from './attempt-request.ts';
import { type HostAnswer, requestIdOf } from './host-answer.ts';
import { lazyBody } from './lazy-body.ts';
import type { AnswerBody } from './whole-body.ts';

/** A host's answer, good or bad. Where it is not whole, the body must be read to its end or destroyed, or its connection is held for ever. */
export interface HostResponse {
  /** The configured name of the host that answered. */
  readonly host: string;
  readonly status: number;
  /** Names and values in turn, all as the host sent them: what may go on is for whoever passes them on. */
  readonly headers: string[];
  readonly contentType: string | undefined;
  /** All of the answer, where it is here: then it is cheaper than {@link body}, which need not be read. */
  readonly whole: Buffer | undefined;
  /** The host's bytes as a stream. Breaks with `stream_interrupted` or `client_closed_request`. */
  readonly body: AnswerBody;
  /** The events of the same body, where it is a stream: whoever takes them leaves the body alone. */
  readonly stream?: HostStream | undefined;
  /** How many attempts were made, at whatever hosts, this one included. */
  readonly attempts: number;
  /** The configured name or glob of the route; none where every host was a candidate. */
  readonly route: string | undefined;
  /** The model that answered, as it was asked for there. */
  readonly model: string | undefined;
  /** Whether the configuration or the host's list names it; else it is whatever a caller typed. */
  readonly isModelNamed: boolean;
  /** The host's own id of the request. */
  readonly upstreamRequestId: string | undefined;
}

/** An attempt's answer as the caller gets it. */
export function responseOf(
  { target, call }: Attempt,
  { response, ...content }: AttemptResult & { kind: 'content' },
  { attempts, route }: { readonly attempts: readonly Attempt[]; readonly route: Route },
): HostResponse {
  const body = lazyBody(content);
  return {
    ...modelOf(target, call, route),
    host: target.host.name,
    status: response.status,
    headers: response.rawHeaders,
    contentType: response.headers['content-type'],
    whole: content.whole,
    stream: content.stream,
    get body() {
      return body();
    },
    attempts: attempts.length,
    upstreamRequestId: requestIdOf(response),
  };
}

/** A host's refusal as the caller gets it. */
export function responseOfAnswer(
  answer: HostAnswer,
  target: Target,
  {
    attempts,
    retryAfterMs,
    request,
    route,
  }: {
    readonly attempts: readonly Attempt[];
    readonly retryAfterMs: number | undefined;
    readonly request: CallRequest;
    readonly route: Route;
  },
): HostResponse {
  const headers = answer.headersWith(retryAfterMs);
  const whole = answer.body;
  const body = lazyBody({ whole });
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'content-type');
  return {
    ...modelOf(target, request, route),
    host: target.host.name,
    status: answer.status,
    headers,
    contentType: at < 0 ? undefined : headers[at + 1],
    whole,
    get body() {
      return body();
    },
    attempts: attempts.length,
    upstreamRequestId: answer.requestId,
  };
}

function modelOf(
  target: Target,
  { facts }: CallRequest,
  { name }: Route,
): Pick<HostResponse, 'route' | 'model' | 'isModelNamed'> {
  const model = target.modelFor(facts.model);
  const isConfigured = target.model !== undefined || (model !== undefined && model === name);
  return {
    route: name,
    model,
    isModelNamed: isConfigured || (model !== undefined && target.host.models.names(model)),
  };
}
