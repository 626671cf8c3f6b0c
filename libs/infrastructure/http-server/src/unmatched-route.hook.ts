import { AppError } from '@morgan/foundation';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Answers a request that no route matches before anything of its body is read. */
export function registerUnmatchedRoute(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.is404) done(unmatchedRoute(request, reply));
    else done();
  });
}

/** 404, or 405 with `allow` where the path exists with another method. */
function unmatchedRoute(request: FastifyRequest, reply: FastifyReply): AppError {
  const path = request.url.split('?', 1)[0] ?? '/';
  const allowed = METHODS.filter((method) => request.server.findRoute({ url: path, method }) !== null);
  if (allowed.length === 0)
    return new AppError(
      'unknown_url',
      `Unknown request URL: ${request.method} ${path}.${hintFor(request, path)}`,
    );
  reply.header('allow', allowed.join(', '));
  return new AppError('method_not_allowed', `${path} takes ${allowed.join(', ')}, not ${request.method}.`);
}

/** What clients get wrong is mostly the base URL that they were given: it has no `/v1`, or their paths have one too. */
function hintFor({ method, server }: FastifyRequest, path: string): string {
  const others = [`/v1${path}`, path.replace(/^\/v1(?=\/)/, '')].filter((url) => url !== path);
  const meant = others.find((url) =>
    METHODS.some((known) => known === method && server.findRoute({ url, method: known }) !== null),
  );
  return meant === undefined ? '' : ` There is ${meant}.`;
}
