import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '@morgan/foundation';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { KnownRoutes } from './known-routes.ts';
import { plainPath } from '../routes/plain-path.ts';

/** What a service says of a path that it has not, in a sentence: why, or what there is instead. */
export type PathHint = (path: string) => string | undefined;

/** In which order `allow` lists them. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What other services call what every one of ours has. */
const USUAL_NAMES: Readonly<Record<string, readonly string[]>> = {
  '/livez': [
    '/healthz',
    '/live',
    '/liveness',
    '/health/live',
    '/health/liveness',
    '/health/liveliness',
    '/ping',
  ],
  '/readyz': ['/ready', '/readiness', '/health/ready', '/health/readiness'],
  '/docs': ['/', '/openapi.json', '/docs.json', '/redoc', '/swagger', '/swagger.json'],
};

/** Longer paths are no slips: they are neither looked into nor repeated. */
const LONGEST_PATH = 256;

/** So many parts in front of a path of ours are tried. */
const MOST_PREFIXES = 4;

/** Answers a request that no route matches before anything of its body is read. Register it in front of all routes. */
export function registerUnmatchedRoute(fastify: FastifyInstance, hint: PathHint = () => undefined): void {
  const routes = new KnownRoutes(fastify);
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.is404) done(unmatchedRoute(request, reply, { routes, hint }));
    else done();
  });
}

interface Knowledge {
  readonly routes: KnownRoutes;
  readonly hint: PathHint;
}

/** 404, or 405 with `allow` where the path exists with another method; 426 to a WebSocket, whose client then sends plain HTTP. */
function unmatchedRoute(
  { method, url, headers }: FastifyRequest,
  reply: FastifyReply,
  known: Knowledge,
): AppError {
  const path = plainPath(url);
  const shown = path.length <= LONGEST_PATH ? path : `${path.slice(0, LONGEST_PATH)}…`;
  const methods = known.routes.methodsOf(path);
  const allowed = METHODS.filter((each) => methods.includes(each)).join(', ');
  if (allowed === '') {
    const sentence = path.length <= LONGEST_PATH ? sentenceAbout(method, path, known) : undefined;
    return new AppError(
      'unknown_url',
      `Unknown request URL: ${method} ${shown}.${sentence ? ` ${sentence}` : ''}`,
    );
  }
  reply.header('allow', allowed);
  if (asksForWebSocket(headers)) {
    reply.header('upgrade', 'HTTP/1.1').header('connection', 'upgrade, close');
    return new AppError('upgrade_required', `${shown} takes ${allowed} over HTTP, and no WebSocket.`);
  }
  // What a path of somebody else's API has in common with one of ours may be its pattern only.
  const sentence = known.hint(path);
  return new AppError(
    'method_not_allowed',
    `${shown} takes ${allowed}, not ${method}.${sentence ? ` ${sentence}` : ''}`,
  );
}

/** Codex does so first, and goes on at once after a 426, but only after several tries after anything else. */
function asksForWebSocket({ upgrade }: IncomingHttpHeaders): boolean {
  return upgrade?.trim().toLowerCase() === 'websocket';
}

function sentenceAbout(method: string, path: string, { routes, hint }: Knowledge): string | undefined {
  const meant = readingsOf(path).find((reading) => routes.methodsOf(reading).includes(method));
  if (meant !== undefined) return `There is ${meant}.`;
  const usual = Object.keys(USUAL_NAMES).find((own) => USUAL_NAMES[own]?.includes(path));
  if (usual !== undefined && routes.methodsOf(usual).includes(method)) return `There is ${usual}.`;
  return hint(path);
}

/** What clients get wrong is mostly the base URL that they were given: it has no `/v1`, or too much, or capitals. */
function readingsOf(path: string): string[] {
  const parts = path.toLowerCase().split('/').slice(1);
  const ends = Array.from({ length: Math.min(parts.length, MOST_PREFIXES + 1) }, (_, from) =>
    parts.slice(from).join('/'),
  );
  return ends.flatMap((end) => [`/${end}`, `/v1/${end}`]);
}
