export type { ApiDescription } from './api-documentation.ts';
export type { Authenticator } from './authentication.hook.ts';
export { Drain } from './drain.ts';
export { type RequestContext, contextOf } from './request-context.ts';
export { createHttpApplication, type HttpApplicationOptions } from './http-application.ts';
export { httpConfig, type HttpConfig } from './http-server.config.ts';
export { runService } from './run-service.ts';
export type { ServiceParts } from './service-parts.ts';
export {
  ApiBody,
  ApiExcludeController,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
export type { FastifyReply as HttpReply, FastifyRequest as HttpRequest } from 'fastify';
