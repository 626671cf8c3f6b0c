import { AppError } from '@morgan/foundation';
import type { FastifyInstance } from 'fastify';

/** Decides who may call. */
export interface Authenticator {
  /** @returns whether the `authorization` header opens the door. */
  admits(authorization: string | undefined): boolean;
}

const GUARDED_PREFIX = '/v1/';

/** Refuses strangers before their body is read. Health, metrics and documentation stay open to the cluster. */
export function registerAuthentication(fastify: FastifyInstance, authenticator: Authenticator): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.url.startsWith(GUARDED_PREFIX) || authenticator.admits(request.headers.authorization))
      return done();
    reply.header('www-authenticate', 'Bearer');
    done(
      new AppError(
        'invalid_api_key',
        'The API key is missing or not valid. Send it as `Authorization: Bearer <key>`.',
      ),
    );
  });
}
