import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type HttpObserver, type Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import { limitConnections } from './connection-limit.ts';
import { DirectConnections } from '../direct/direct-connections.ts';
import { type ErrorBody, openAiEnvelope } from '../error-body.ts';
import type { HttpConfig } from '../http-server.config.ts';
import { Pipelining } from './pipelining.ts';
import { connectionsWithin } from '../platform-limits.ts';
import type { PlainRoutes } from '../routes/plain-routes.ts';
import { ProtocolRefusals } from './protocol-refusals.ts';
import { checkRequestHead, MOST_HEADERS } from './request-head.ts';
import { oneIdHeader, type RequestIdHeaders } from '../request-id.ts';
import { closeAfterUnreadBody } from './unread-body.ts';

/** The headers alone have this long at most. */
const HEADERS_TIMEOUT_MS = 60_000;

/** How often Node looks for requests that take too long to arrive. */
const TIMEOUT_CHECK_MS = 1_000;

/** What the server below the routes is made with. */
interface NodeServerOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observers: readonly HttpObserver[];
  /** Headers of every response of this service. */
  readonly headers: Readonly<Record<string, string>>;
  readonly errorBody?: ErrorBody;
  readonly requestIdHeaders?: RequestIdHeaders;
}

/**
 * The HTTP server below the router: limits connections, answers the requests of each one at a time, and refuses what is
 * not a proper request. Fastify asks for its `server`, and gets what only it can see through `refusals`.
 */
export class NodeServer {
  readonly refusals: ProtocolRefusals;
  readonly #options: NodeServerOptions;
  readonly #pipelining: Pipelining;
  #route: RequestListener = () => undefined;
  #plainRoutes: PlainRoutes | undefined;

  constructor(options: NodeServerOptions) {
    const { config, errorBody = openAiEnvelope, requestIdHeaders = oneIdHeader } = options;
    this.#options = options;
    this.#pipelining = new Pipelining(
      (request, response) => this.#serve(request, response),
      () => this.refusals.tellSentAhead(),
    );
    this.refusals = new ProtocolRefusals({
      ...options,
      errorBody,
      requestIdHeaders,
      maxBytesAfter: config.bodyLimitBytes,
      latest: (socket) => this.#pipelining.latest(socket),
    });
  }

  /** From now on these are asked first. */
  use(plainRoutes: PlainRoutes): void {
    this.#plainRoutes = plainRoutes;
  }

  /** @param route handles every request that is one. */
  create(route: RequestListener): Server {
    const { receiveTimeoutMs, keepAliveTimeoutMs } = this.#options.config;
    this.#route = route;
    const headersTimeout = Math.min(HEADERS_TIMEOUT_MS, receiveTimeoutMs);
    const connectionsCheckingInterval = Math.min(TIMEOUT_CHECK_MS, receiveTimeoutMs);
    const server = createServer({
      keepAliveTimeout: keepAliveTimeoutMs,
      requestTimeout: receiveTimeoutMs,
      headersTimeout,
      connectionsCheckingInterval,
      // Node's own response has no body; ours is made in `checkRequestHead`.
      requireHostHeader: false,
    });
    // Node leaves those beyond a number out in silence: one more than there may be is seen, and refused in `checkRequestHead`.
    server.maxHeadersCount = MOST_HEADERS + 1;
    const take = (request: IncomingMessage, response: ServerResponse) =>
      this.#pipelining.take(request, response);
    server.on('request', take);
    // With a listener Node does not say `100 Continue` by itself: that is for whoever reads the body.
    server.on('checkContinue', take);
    server.on('checkExpectation', take);
    server.on('connect', (request: IncomingMessage, socket: Socket) => this.#refuseTunnel(request, socket));
    const direct = new DirectConnections(server, {
      plainRoutes: () => this.#plainRoutes,
      keepAliveTimeoutMs,
      firstHeadMs: headersTimeout,
      checkMs: connectionsCheckingInterval,
      refuseLate: (socket) => this.refusals.onConnectionFault(lateHead(), socket),
    });
    const quietSince = (socket: Socket) => direct.quietSince(socket) ?? this.#pipelining.quietSince(socket);
    const maxConnections = connectionsWithin(this.#options.config.maxConnections);
    limitConnections(server, { ...this.#options, maxConnections, quietSince });
    return server;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    closeAfterUnreadBody(request, response, this.#options.config.bodyLimitBytes);
    const fault = checkRequestHead(request);
    if (fault) this.refusals.respond(request, response, fault);
    else if (!this.#plainRoutes?.take(request, response)) this.#route(request, response);
  }

  #refuseTunnel(request: IncomingMessage, socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.destroy());
    const error = new AppError('method_not_allowed', 'CONNECT is not available here.');
    this.refusals.refuseConnection(socket, error, { method: request.method });
  }
}

/** As Node reports one. */
function lateHead(): Error {
  return Object.assign(new Error('No request came in time.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
}
