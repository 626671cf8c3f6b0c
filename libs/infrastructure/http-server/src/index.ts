export type { ApiDescription } from './api-documentation.ts';
export type { ErrorBody } from './error-body.ts';
export type { Authenticator } from './authentication.hook.ts';
export { Drain } from './drain.ts';
export { type RequestContext, contextOf } from './request-context.ts';
export { createHttpApplication, type HttpApplicationOptions } from './http-application.ts';
export { httpConfig, type HttpConfig } from './http-server.config.ts';
export { type BodyAssembly, type BodyFormat, PARSED_JSON } from './body/body-format.ts';
export { BodyStream } from './body/body-stream.ts';
export { StalledReaders } from './body/stalled-readers.ts';
export { JsonScanner } from './json/json-scanner.ts';
export { beginningOf, isText, type JsonSpan, textOf } from './json/json-text.ts';
export type { JsonKind, JsonToken, JsonVisitor } from './json/json-visitor.ts';
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
