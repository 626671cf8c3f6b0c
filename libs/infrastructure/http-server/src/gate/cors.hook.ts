import type { GateHook } from './gate.ts';

/** How long a browser may remember the response to a preflight, in seconds. */
const MAX_AGE_SECONDS = 86_400;

/** Of whatever path: which ones there are is for callers with a key. */
const METHODS = 'GET, HEAD, POST, DELETE';

/**
 * Lets pages of the given origins call this service. Answers every OPTIONS itself, and alike for every path, with no key
 * asked, as browsers send none; from an origin that is not allowed the response allows nothing. Keys travel in headers,
 * never in cookies, so credentials stay off and all headers of responses may be read.
 * @param origins exact origins, or `*`.
 */
export function cors(origins: readonly string[]): GateHook {
  const anyOrigin = origins.includes('*');
  return (request, reply, done) => {
    const { origin } = request.headers;
    if (origins.length > 0 && !anyOrigin) reply.header('vary', 'origin');
    const found = anyOrigin ? '*' : origins.find((own) => own === origin);
    const allowed = origin === undefined ? undefined : found;
    if (allowed !== undefined) {
      reply.header('access-control-allow-origin', allowed);
      reply.header('access-control-expose-headers', '*');
    }
    if (request.method !== 'OPTIONS') return done();
    if (allowed !== undefined && request.headers['access-control-request-method']) {
      reply.header('access-control-allow-methods', METHODS);
      reply.header(
        'access-control-allow-headers',
        request.headers['access-control-request-headers'] ?? 'authorization, content-type',
      );
      reply.header('access-control-max-age', MAX_AGE_SECONDS);
    }
    reply.header('allow', `${METHODS}, OPTIONS`);
    reply.status(204).send();
  };
}
