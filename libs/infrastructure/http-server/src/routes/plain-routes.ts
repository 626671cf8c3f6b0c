import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OutgoingResponse } from '@morgan/foundation';
import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';
import type { StalledReaders } from '../body/stalled-readers.ts';
import type { ErrorResponder } from '../error-responder.ts';
import type { Gate, GateHook } from '../gate/gate.ts';
import type { IncomingRequest } from '../http-exchange.ts';
import { PlainReply, PlainRequest } from './plain-exchange.ts';
import type { PlainRoute } from './plain-route.ts';
import { ROUTER_OPTIONS } from './router-options.ts';

/** What the requests of plain routes are handled with. */
interface PlainRoutesOptions {
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

/** A plain route, and what varies in the path. */
interface FoundRoute {
  readonly target: Target;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** A request of a plain route. */
interface Asked {
  readonly request: IncomingRequest;
  readonly response: OutgoingResponse;
  /** All of it, or what it comes from. */
  readonly body: IncomingMessage | Buffer;
}

/**
 * Answers the requests of plain routes in front of Fastify, through the same gate: docs/performance.md has what Fastify
 * does around a handler in figures. Every route of Fastify's is known here, so that both agree on which one a path is;
 * what is none of these, or belongs to Nest, is Fastify's to answer.
 */
export class PlainRoutes {
  readonly #router = findMyWay(ROUTER_OPTIONS);
  /** Routes without parameters, by method and path: nearly every request is for one of them. */
  readonly #exact = new Map<string, FoundRoute>();
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
    for (const [key, target] of targets) if (!/[:*]/.test(key)) this.#exact.set(key, { target, params: {} });
  }

  /** @returns whether it is the request of a plain route, and so is answered here. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const found = this.find(request.method ?? '', request.url ?? '');
    if (found) this.serve(found, { request, response, body: request });
    return found !== undefined;
  }

  /** @returns the plain route of a path. */
  find(method: string, url: string): FoundRoute | undefined {
    const exact = this.#exact.get(`${method} ${url}`);
    if (exact) return exact;
    const found = this.#router.find(method as Method, url);
    const target = found?.store as Target | undefined;
    return found && target ? { target, params: found.params } : undefined;
  }

  serve({ target, params }: FoundRoute, { request: raw, response, body }: Asked): void {
    // Whoever writes to it sees what became of it; an error that nobody listens to would end the process.
    response.on('error', ignore);
    const request = new PlainRequest(raw, target.routeOptions, params, this.#server);
    const reply = new PlainReply(response, request, this.options.errors);
    this.#passGate(request, reply, target.handle, body);
  }

  #passGate(
    request: PlainRequest,
    reply: PlainReply,
    handle: PlainRoute['handle'],
    source: IncomingMessage | Buffer,
  ): void {
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
      else this.options.gate.readBody(request, source, read);
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
