import { Deadline, type HttpObserver } from '@morgan/foundation';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Drain } from './drain.ts';
import { Exchange } from './exchange.ts';
import { REQUEST_ID_HEADER } from './request-id.ts';

/**
 * Gives every request its exchange: id on the answer, the caller's deadline, abort when the client goes away, one report
 * when it is over. Whoever answers the request keeps the deadline; a request without one has none.
 */
export function registerExchangeHooks(
  fastify: FastifyInstance,
  drain: Drain,
  observers: readonly HttpObserver[],
): void {
  fastify.decorateRequest('exchange');
  fastify.addHook('onRequest', (request, reply, done) => {
    const exchange = new Exchange(request.id, Deadline.fromHeader(request.headers[Deadline.HEADER]));
    request.exchange = exchange;
    reply.header(REQUEST_ID_HEADER, exchange.id);
    if (drain.stopping) reply.header('connection', 'close');
    drain.enter();
    for (const observer of observers) observer.started();
    // The response's `close`, not the request's: the latter fires once the body is read, client or no client.
    reply.raw.once('close', () => {
      const cut = !reply.raw.writableFinished;
      if (cut) exchange.abort();
      // With an error code it was the service that cut the answer, not the client.
      const aborted = cut && exchange.errorCode === undefined;
      drain.leave();
      for (const observer of observers) observer.finished(summarise(request, reply, aborted));
    });
    done();
  });
}

function summarise(request: FastifyRequest, reply: FastifyReply, aborted: boolean) {
  const { exchange } = request;
  return {
    requestId: exchange.id,
    method: request.method,
    route: request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched'),
    status: aborted && !reply.raw.headersSent ? 499 : reply.raw.statusCode,
    durationMs: performance.now() - exchange.startedAt,
    ...(exchange.errorCode ? { errorCode: exchange.errorCode } : {}),
    aborted,
    notes: exchange.notes,
  };
}
