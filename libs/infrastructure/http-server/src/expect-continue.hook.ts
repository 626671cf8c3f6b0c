import type { FastifyInstance } from 'fastify';
import { AppError } from '@morgan/foundation';
import { asksForContinue } from './request-head.ts';

/**
 * Says `100 Continue` to a caller that waits for it with its body. Register it behind everything that may refuse a request
 * by its head: whoever is refused then never sends the body.
 */
export function registerExpectContinue(fastify: FastifyInstance): void {
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (!asksForContinue(request.raw)) return done();
    const limit = request.routeOptions.bodyLimit;
    if (Number(request.headers['content-length'] ?? 0) > limit) return done(bodyTooLarge(limit));
    reply.raw.writeContinue();
    done();
  });
}

/** The refusal of a body above the limit. */
export function bodyTooLarge(limit: number): AppError {
  return new AppError('request_too_large', `The request body is larger than the limit of ${limit} bytes.`);
}
