import { Deadline, type HttpObserver } from '@morgan/foundation';
import type { Drain } from '../drain.ts';
import type { GateHook } from './gate.ts';
import type { HttpReply, HttpRequest } from '../http-exchange.ts';
import { RequestContext } from '../request-context.ts';
import { oneIdHeader, type RequestIdHeaders } from '../request-id.ts';

/** Which services have sent a request on: one that finds itself there would ask itself. */
export const VIA_HEADER = 'x-morgan-via';

/** What the context of every request is made with. */
interface RequestContextOptions {
  readonly drain: Drain;
  readonly observers: readonly HttpObserver[];
  /** Headers of every response of this service. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestIdHeaders?: RequestIdHeaders | undefined;
  /** How long any call may take. None: whoever answers it sets its limit. */
  readonly callTimeoutMs?: number | undefined;
}

/**
 * Gives every request its context: id on the response, the caller's deadline, abort when the client goes away, one report
 * when it is over. Whoever answers the request keeps the deadline; a request without one has none.
 */
export function requestContext({
  drain,
  observers,
  headers,
  requestIdHeaders = oneIdHeader,
  callTimeoutMs,
}: RequestContextOptions): GateHook {
  return (request, reply, done) => {
    const { headers: sent } = request;
    const via = sent[VIA_HEADER];
    const deadline = Deadline.fromHeader(sent[Deadline.HEADER]);
    const context = new RequestContext(request.id, deadline, typeof via === 'string' ? via : undefined);
    if (callTimeoutMs !== undefined) context.limitTo(callTimeoutMs);
    request.requestContext = context;
    reply.headers(headers);
    for (const name of requestIdHeaders(request.url, request.headers)) reply.header(name, context.id);
    const place = drain.enter(reply.raw);
    for (const observer of observers) observer.started();
    // The response's `close`, not the request's: the latter fires once the body is read, client or no client.
    reply.raw.once('close', () => {
      const cut = !reply.raw.writableFinished;
      if (cut && drain.isOver) context.errorCode ??= 'service_stopping';
      if (cut) context.abort();
      // With an error code it was the service that cut the response, not the client.
      const aborted = cut && context.errorCode === undefined;
      context.end();
      drain.leave(place);
      const finished = summarise(request, reply, aborted);
      for (const observer of observers) observer.finished(finished);
    });
    done();
  };
}

function summarise(request: HttpRequest, reply: HttpReply, aborted: boolean) {
  const { requestContext: context } = request;
  return {
    requestId: context.id,
    method: request.method,
    route: request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched'),
    status: reply.raw.headersSent ? reply.raw.statusCode : unsentStatus(context, reply, aborted),
    durationMs: performance.now() - context.startedAt,
    caller: context.caller,
    errorCode: context.errorCode,
    aborted,
    notes: context.notes,
  };
}

/** The status that an answer has of which nothing has left. */
function unsentStatus({ errorCode }: RequestContext, reply: HttpReply, aborted: boolean): number {
  if (aborted) return 499;
  return errorCode === 'service_stopping' ? 503 : reply.raw.statusCode;
}
