import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { spellingsOf, statusesOf } from './request-targets.ts';

/** One route as the router has it. */
interface WalkedRoute {
  readonly method: string;
  /** With `:name` and `*`, such as `/v1/models/*`. */
  readonly pattern: string;
}

interface RouteOptions {
  readonly method: string | readonly string[];
  readonly url: string;
}

/** The part of a Fastify instance that is needed here. */
interface Router {
  addHook(name: 'onRoute', hook: (route: RouteOptions) => void): void;
  get(path: string, handler: () => Promise<object>): void;
}

/** A route that nobody declared anything about, which every walked service has. */
const ADDED_ROUTE = '/added/by/a/test';

const PROBES = ['/livez', '/readyz'];

/** Asks every route of a service that wants an API key, with the key and without it. */
export class RouteWalk {
  readonly #port: number;
  readonly #key: string;
  readonly #routes: readonly WalkedRoute[];

  private constructor(port: number, key: string, routes: readonly WalkedRoute[]) {
    this.#port = port;
    this.#key = key;
    this.#routes = routes;
  }

  /** @param start builds and starts the service, and resolves with its port. */
  static async through(key: string, start: () => Promise<number>): Promise<RouteWalk> {
    const routes: WalkedRoute[] = [];
    const port = await collectRoutes(routes, start);
    return new RouteWalk(port, key, routes);
  }

  /** Every path that the router knows. */
  get patterns(): readonly string[] {
    return this.#routes.map(({ pattern }) => pattern);
  }

  /**
   * The requests without the right key that were not refused, in every spelling of every path. OPTIONS has an answer of its
   * own in front of the key: 204, whatever the path.
   */
  async admittedWithoutKey(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const { method, pattern } of [...this.#guarded(), { method: 'GET', pattern: '/no/such/route' }]) {
      for (const asked of new Set([method, 'OPTIONS'])) {
        for (const headers of this.#wrongKeys()) {
          const targets = headers === '' ? spellingsOf(pathOf(pattern)) : [pathOf(pattern)];
          const statuses = await statusesOf(this.#port, asked, targets, headers);
          const refusals = asked === 'OPTIONS' ? [204, 400] : [400, 401];
          const through = targets.filter((_, index) => !refusals.includes(statuses[index] ?? 0));
          found.push(...through.map((target) => `${asked} ${target} ${headers}`));
        }
      }
    }
    return found;
  }

  /** The requests with the key that were refused, or that were answered otherwise when their path had a slash more. */
  async refusedWithKey(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const { method, pattern } of this.#guarded()) {
      const path = pathOf(pattern);
      for (const header of ['authorization: Bearer ', 'x-api-key: ', 'api-key: ']) {
        const headers = `${header}${this.#key}\r\n`;
        const statuses = await statusesOf(this.#port, method, [path, `${path}/`, `/${path}`], headers);
        if (statuses.includes(401) || new Set(statuses).size > 1)
          found.push(`${method} ${path} ${headers}: ${statuses.join()}`);
      }
    }
    return found;
  }

  /** The paths that need no key, sorted. */
  async openPatterns(): Promise<readonly string[]> {
    const open = new Set<string>();
    for (const { method, pattern } of this.#routes) {
      const [status] = await statusesOf(this.#port, method, [pathOf(pattern)], '');
      if (status !== 401) open.add(pattern);
    }
    return [...open].sort();
  }

  #guarded(): readonly WalkedRoute[] {
    return this.#routes.filter(({ pattern }) => !PROBES.includes(pattern));
  }

  /** The headers of callers without the right key. */
  #wrongKeys(): readonly string[] {
    return [
      '',
      'authorization: Bearer wrong-key\r\n',
      'x-api-key: wrong-key\r\n',
      `x-api-key: ${this.#key}\r\nauthorization: Bearer wrong-key\r\n`,
      'x-http-method-override: GET\r\nx-forwarded-uri: /livez\r\nx-original-url: /livez\r\n',
    ];
  }
}

/** Lists every route of the Fastify instances that are made meanwhile, and adds {@link ADDED_ROUTE} to each. */
async function collectRoutes<T>(routes: WalkedRoute[], build: () => Promise<T>): Promise<T> {
  const listen = (message: unknown): void => {
    const { fastify } = message as { fastify: Router };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, pattern: url });
    });
    fastify.get(ADDED_ROUTE, () => Promise.resolve({}));
  };
  subscribe('fastify.initialization', listen);
  return build().finally(() => unsubscribe('fastify.initialization', listen));
}

/** A path that the pattern matches. */
function pathOf(pattern: string): string {
  return pattern.replace(/:\w+/g, 'x').replace('*', 'some/thing');
}
