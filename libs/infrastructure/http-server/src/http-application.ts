import type { RequestListener } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppError, type HttpObserver, type Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { serveApiDocumentation, type ApiDescription } from './api-documentation.ts';
import { AppErrorFilter } from './app-error.filter.ts';
import type { ErrorBody } from './error-body.ts';
import { type Authenticators, authentication } from './gate/authentication.hook.ts';
import { borrowedName } from './gate/borrowed-name.hook.ts';
import { cors } from './gate/cors.hook.ts';
import type { Drain } from './drain.ts';
import { ErrorResponder } from './error-responder.ts';
import { expectContinue } from './gate/expect-continue.hook.ts';
import { registerGate } from './gate/fastify-gate.ts';
import type { Gate } from './gate/gate.ts';
import { type HeadersRead, ignoredHeaders } from './gate/ignored-headers.hook.ts';
import { requestContext } from './gate/request-context.hooks.ts';
import type { HttpConfig } from './http-server.config.ts';
import type { BodyFormat } from './body/body-format.ts';
import { createBodies } from './body/bodies.ts';
import { NestLogger } from './nest-logger.ts';
import { NodeServer } from './connections/node-server.ts';
import { OpenRoutes } from './gate/open-routes.ts';
import type { PlainRoute } from './routes/plain-route.ts';
import { PlainRoutes } from './routes/plain-routes.ts';
import { type RequestIdHeaders, requestIdOf } from './request-id.ts';
import { RequestValidationPipe } from './routes/request-validation.ts';
import { ROUTER_OPTIONS } from './routes/router-options.ts';
import type { PathHint } from './gate/unmatched-route.hook.ts';

/** What an HTTP application is made of. */
interface HttpApplicationOptions extends Authenticators {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly drain: Drain;
  readonly observers: readonly HttpObserver[];
  readonly metrics: Metrics;
  /** Headers of every response that this service makes, refusals below the routes included. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers of ours that this service reads, besides those that every service does; others are named as ignored. */
  readonly headersRead?: HeadersRead;
  /** How long any call may take, in milliseconds. Default: whoever answers it sets its limit. */
  readonly callTimeoutMs?: number;
  readonly api: ApiDescription;
  /** Besides those of the controllers. */
  readonly routes?: readonly PlainRoute[];
  /** What `request.body` is. Default: {@link PARSED_JSON}. */
  readonly bodies?: BodyFormat;
  /** The shape of errors. Default: OpenAI's. */
  readonly errorBody?: ErrorBody;
  /** Default: `x-request-id`. */
  readonly requestIdHeaders?: RequestIdHeaders;
  /** What is said of paths that the service has not, beyond what their names tell. */
  readonly pathHint?: PathHint;
}

/** Builds the Nest application on Fastify with everything that both services share at their HTTP edge. */
export async function createHttpApplication(
  module: DynamicModule,
  options: HttpApplicationOptions,
): Promise<NestFastifyApplication> {
  const { logger, api, errorBody, routes = [] } = options;
  const errors = new ErrorResponder(logger, errorBody);
  const adapter = createAdapter(options, errors);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalFilters(new AppErrorFilter(errors));
  serveApiDocumentation(app, api, routes);
  return app;
}

/** Fastify on its own server, behind the gate of docs/architecture.md: the order of the hooks is the order of the checks. */
function createAdapter(options: HttpApplicationOptions, errors: ErrorResponder): FastifyAdapter {
  const { config, pathHint, headers = {}, headersRead = {}, routes = [] } = options;
  const server = new NodeServer({ ...options, headers });
  const adapter = new FastifyAdapter({
    bodyLimit: config.bodyLimitBytes,
    genReqId: requestIdOf,
    serverFactory: (route: RequestListener) => server.create(route),
    clientErrorHandler: (error, socket) => server.refusals.onConnectionFault(error, socket),
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      const error = new AppError('invalid_url', 'The path of the request is not valid.');
      server.refusals.respond(request.raw, reply.raw, error);
    },
    // What comes in while the port closes is answered like everything before it, with `connection: close`.
    return503OnClosing: false,
    routerOptions: ROUTER_OPTIONS,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  const { admission, parser, stalledReaders } = createBodies(options);
  const ofBorrowedNames = borrowedName(config.host, config.corsOrigins);
  const gate: Gate = {
    onRequest: [
      requestContext({ ...options, headers }),
      cors(config.corsOrigins),
      authentication(options, new OpenRoutes(config.openEndpoints)),
      ...(ofBorrowedNames ? [ofBorrowedNames] : []),
      ignoredHeaders(headersRead),
    ],
    beforeBody: [admission, expectContinue],
    readBody: parser,
  };
  registerGate(fastify, gate, { stalledReaders, pathHint });
  server.use(new PlainRoutes(fastify, { routes, gate, errors, stalledReaders }));
  return adapter;
}
