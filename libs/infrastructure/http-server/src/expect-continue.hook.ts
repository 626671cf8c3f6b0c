import type { FastifyInstance } from 'fastify';
import { asksForContinue } from './request-head.ts';

/**
 * Says `100 Continue` to a caller that waits for it with its body. Register it behind everything that may refuse a request
 * by its head: whoever is refused then never sends the body.
 */
export function registerExpectContinue(fastify: FastifyInstance): void {
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (asksForContinue(request.raw)) reply.raw.writeContinue();
    done();
  });
}
