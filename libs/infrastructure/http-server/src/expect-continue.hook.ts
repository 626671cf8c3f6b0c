import type { FastifyInstance } from 'fastify';
import { isContinue } from './request-head.ts';

/**
 * Says `100 Continue` to a caller that waits for it with its body. Register it behind everything that may refuse a request
 * by its head: whoever is refused then never sends the body.
 */
export function registerExpectContinue(fastify: FastifyInstance): void {
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    const { expect } = request.headers;
    if (expect === undefined || !isContinue(expect)) return done();
    reply.raw.writeContinue();
    done();
  });
}
