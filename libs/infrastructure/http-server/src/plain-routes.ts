import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';
import type { StalledReaders } from './body/stalled-readers.ts';
import type { ErrorResponder } from './error-responder.ts';
import type { Gate, GateHook } from './gate.ts';
import { PlainReply, PlainRequest } from './plain-exchange.ts';
import type { PlainRoute } from './plain-route.ts';
import { ROUTER_OPTIONS } from './router-options.ts';

/** What the requests of plain routes are handled with. */
export interface PlainRoutesOptions {
  readonly routes: readonly PlainRoute[];
  readonly gate: Gate;
  readonly errors: ErrorResponder;
  readonly stalledReaders: StalledReaders;
}

type Method = Parameters<ReturnType<typeof findMyWay>['find']>[0];

/** A plain route as its requests see it. */
interface Target {
  readonly handle: PlainRoute['handle'];
  readonly routeOptions: { readonly url: string };
}

/**
 * Answers the requests of plain routes in front of Fastify, through the same gate: docs/performance.md has what Fastify
 * does around a handler in figures. Every route of Fastify's is known here, so that both agree on which one a path is;
 * what is none of these, or belongs to Nest, is Fastify's to answer.
 */
export class PlainRoutes {
  readonly #router = findMyWay(ROUTER_OPTIONS);
  readonly #hooks: readonly GateHook[];
  readonly #server: { readonly stalledReaders: StalledReaders };

  /** @param fastify an instance that has no routes yet. */
  constructor(
    fastify: FastifyInstance,
    private readonly options: PlainRoutesOptions,
  ) {
    const { routes, gate, stalledReaders } = options;
    this.#hooks = [...gate.onRequest, ...gate.beforeBody];
    this.#server = { stalledReaders };
    const targets = new Map<string, Target>(
      routes.map(({ method, path, handle }) => [
        `${method} ${path}`,
        { handle, routeOptions: { url: path } },
      ]),
    );
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat())
        this.#router.on(each as Method, url, () => undefined, targets.get(`${each} ${url}`));
    });
    for (const { method, path, handle } of routes) fastify.route({ method, url: path, handler: handle });
  }

  /** @returns whether it is the request of a plain route, and so is answered here. */
  take(raw: IncomingMessage, response: ServerResponse): boolean {
    const found = this.#router.find(raw.method as Method, raw.url ?? '');
    const target = found?.store as Target | undefined;
    if (!found || !target) return false;
    // Whoever writes to it sees what became of it; an error that nobody listens to would end the process.
    response.on('error', ignore);
    const request = new PlainRequest(raw, target.routeOptions, found.params, this.#server);
    this.#passGate(request, new PlainReply(response, request, this.options.errors), target.handle);
    return true;
  }

  #passGate(request: PlainRequest, reply: PlainReply, handle: PlainRoute['handle']): void {
    const read = (error: Error | null, body?: unknown): void => {
      if (error) return reply.fail(error);
      request.body = body;
      answer(request, reply, handle);
    };
    let passed = 0;
    const next = (error?: Error): void => {
      if (error) return reply.fail(error);
      const hook = this.#hooks[passed];
      passed += 1;
      if (hook) hook(request, reply, next);
      else this.options.gate.readBody(request, request.raw, read);
    };
    try {
      next();
    } catch (error) {
      reply.fail(error);
    }
  }
}

function answer(request: PlainRequest, reply: PlainReply, handle: PlainRoute['handle']): void {
  try {
    handle(request, reply).then(
      (body) => {
        if (body !== undefined) reply.send(body);
      },
      (error: unknown) => reply.fail(error),
    );
  } catch (error) {
    reply.fail(error);
  }
}

function ignore(): void {
  // Nothing is left to be done for a response that is broken.
}
