import type { FastifyInstance } from 'fastify';
import type { StalledReaders } from '../body/stalled-readers.ts';
import type { Gate } from './gate.ts';
import type { HttpRequest } from '../http-exchange.ts';
import { type PathHint, registerUnmatchedRoute } from './unmatched-route.hook.ts';

declare module 'fastify' {
  interface FastifyRequest {
    requestContext: HttpRequest['requestContext'];
    admittedBody: HttpRequest['admittedBody'];
  }
  interface FastifyInstance {
    stalledReaders: StalledReaders;
  }
}

/** Has Fastify bring its requests through the gate, and refuse those that no route matches within it. */
export function registerGate(
  fastify: FastifyInstance,
  { onRequest, beforeBody, readBody }: Gate,
  {
    stalledReaders,
    pathHint,
  }: { readonly stalledReaders: StalledReaders; readonly pathHint?: PathHint | undefined },
): void {
  fastify.decorateRequest('requestContext');
  fastify.decorateRequest('admittedBody', undefined);
  fastify.decorate('stalledReaders', stalledReaders);
  for (const hook of onRequest) fastify.addHook('onRequest', hook);
  registerUnmatchedRoute(fastify, pathHint);
  for (const hook of beforeBody)
    fastify.addHook('preParsing', (request, reply, _payload, done) => hook(request, reply, done));
  fastify.removeAllContentTypeParsers();
  // Fastify finds the type that nearly all bodies have by its name, and would take any other to pieces each time.
  fastify.addContentTypeParser(['application/json', '*'], readBody);
  fastify.addHook('onSend', (request, reply, payload, done) => {
    // It is written by then, unless it is a stream.
    done(null, payload);
    stalledReaders.watchUnlessTaken(reply.raw, request.requestContext.id);
  });
}
