import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { HttpObserver, Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import type { FastifyInstance } from 'fastify';
import { serveApiDocumentation, type ApiDescription } from './api-documentation.ts';
import { AppErrorFilter } from './app-error.filter.ts';
import { type Authenticator, registerAuthentication } from './authentication.hook.ts';
import type { Drain } from './drain.ts';
import { registerRequestContext } from './request-context.hooks.ts';
import type { HttpConfig } from './http-server.config.ts';
import type { BodyFormat } from './body/body-format.ts';
import { registerBodies } from './body/register-bodies.ts';
import { NestLogger } from './nest-logger.ts';
import { requestIdOf } from './request-id.ts';
import { validationPipe } from './request-validation.ts';

/** Time in which a client must have sent its whole request; a slower one is cut off. */
const REQUEST_RECEIVE_TIMEOUT_MS = 120_000;

/** What an HTTP application is made of. */
export interface HttpApplicationOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly drain: Drain;
  readonly observers: readonly HttpObserver[];
  readonly metrics: Metrics;
  /** Guards the routes under `/v1`. */
  readonly authenticator: Authenticator;
  readonly api: ApiDescription;
  /** What `request.body` is. Default: {@link PARSED_JSON}. */
  readonly bodies?: BodyFormat;
}

/** Builds the Nest application on Fastify with everything that both services share at their HTTP edge. */
export async function createHttpApplication(
  module: DynamicModule,
  options: HttpApplicationOptions,
): Promise<NestFastifyApplication> {
  const { config, logger, drain, observers, authenticator, api } = options;
  const adapter = new FastifyAdapter({
    bodyLimit: config.bodyLimitBytes,
    genReqId: requestIdOf,
    requestTimeout: REQUEST_RECEIVE_TIMEOUT_MS,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  registerRequestContext(fastify, drain, observers);
  registerAuthentication(fastify, authenticator);
  registerBodies(fastify, options);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new AppErrorFilter(logger));
  serveApiDocumentation(app, api);
  return app;
}

/** The Fastify instance below the application, for hooks that must see every request. */
export function httpServerOf(app: NestFastifyApplication): FastifyInstance {
  return app.getHttpAdapter().getInstance();
}
