import { AppError } from '@morgan/foundation';
import type { GateHook } from './gate.ts';
import { contextOf } from '../http-exchange.ts';
import type { OpenRoutes } from './open-routes.ts';

/** Decides who may call. */
export interface Authenticator {
  /** How many callers can be told apart now. Default: 1. */
  readonly callers?: number | undefined;
  /**
   * @param rawHeaders names and values in turn, as they came.
   * @returns a name for who calls, which is no secret; empty where callers are not told apart; none for an unknown caller.
   */
  identify(rawHeaders: readonly string[]): string | undefined;
}

/** Who is asked about a request. */
export interface Authenticators {
  /** Guards every route that the configuration does not declare open. */
  readonly authenticator: Authenticator;
  /** Asked in its place about the routes below `/admin`. Default: whoever may call is an operator. */
  readonly operators?: Authenticator | undefined;
}

const OF_OPERATORS = '/admin/';

/**
 * Refuses unknown callers before their body is read, on every route that is not declared open. A path that no route matches is
 * refused as well, so that they cannot learn which ones exist.
 */
export function authentication(
  { authenticator, operators = authenticator }: Authenticators,
  openRoutes: OpenRoutes,
): GateHook {
  return (request, reply, done) => {
    const isOperators = request.routeOptions.url?.startsWith(OF_OPERATORS) ?? false;
    const caller = (isOperators ? operators : authenticator).identify(request.raw.rawHeaders);
    if (caller !== undefined) {
      if (caller !== '') contextOf(request).caller = caller;
      return done();
    }
    if (!request.is404 && openRoutes.has(request.method, request.routeOptions.url)) return done();
    reply.header('www-authenticate', 'Bearer');
    done(
      new AppError(
        'invalid_api_key',
        'The API key is missing or not valid. Send one key, as `Authorization: Bearer <key>`, `x-api-key` or `api-key`.',
      ),
    );
  };
}
