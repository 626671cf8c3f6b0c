import type { FastifyInstance } from 'fastify';

interface KnownRoute {
  readonly method: string;
  readonly paths: RegExp;
}

/** What the router has, by what it matches: a refusal is to say what there is instead. */
export class KnownRoutes {
  readonly #routes: KnownRoute[] = [];

  /** @param fastify an instance that has no routes yet. */
  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ method, url }) => {
      const paths = pathsOf(url);
      for (const each of [method].flat()) this.#routes.push({ method: each, paths });
    });
  }

  /** The methods of a path as {@link plainPath} writes it; none where there is no such path. */
  methodsOf(path: string): readonly string[] {
    const found = this.#routes.filter(({ paths }) => paths.test(path)).map(({ method }) => method);
    return [...new Set(found)];
  }
}

/** A pattern of the router, such as `/v1/models/*` or `/v1/responses/:id/cancel`, as what it matches. */
function pathsOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:\w+/g, '[^/]+')
    .replaceAll('*', '.*');
  return new RegExp(`^${source}$`);
}
