import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { AppError, type Logger } from '@morgan/foundation';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodyTooLarge } from './body/body-reader.ts';
import { type ErrorBody, openAiEnvelope } from './error-body.ts';

/** The one place where a fault becomes an HTTP response: the envelope of its API, the status of its kind, nothing internal. */
@Catch()
export class AppErrorFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly errorBody: ErrorBody = openAiEnvelope,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    // A caller that leaves in mid-upload breaks its body; there is nobody to answer, and the request log says 499.
    if (request.raw.destroyed && !request.raw.complete) return;
    const error = this.#classify(exception, request);
    request.requestContext.errorCode = error.code;
    this.#log(error, request);
    if (reply.raw.headersSent || reply.raw.destroyed) {
      reply.raw.destroy();
      return;
    }
    if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
    void reply
      .status(error.status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(this.errorBody(error, request)));
  }

  #classify(exception: unknown, request: FastifyRequest): AppError {
    if (exception instanceof AppError) return exception;
    if (exception instanceof HttpException) return fromHttpException(exception, request);
    return new AppError('internal_error', 'Something went wrong in this service.', { cause: exception });
  }

  #log(error: AppError, request: FastifyRequest): void {
    const fields = {
      requestId: request.requestContext.id,
      route: request.routeOptions.url,
      code: error.code,
    };
    if (error.code === 'internal_error')
      this.logger.error({ ...fields, error: error.cause ?? error }, 'request failed');
    else if (error.cause !== undefined) this.logger.debug({ ...fields, cause: error }, 'request refused');
  }
}

function fromHttpException(exception: HttpException, request: FastifyRequest): AppError {
  const status = exception.getStatus();
  if (status === 404)
    return new AppError('unknown_url', `Unknown request URL: ${request.method} ${request.url}.`);
  if (status === 413) return bodyTooLarge(request.routeOptions.bodyLimit);
  if (status === 415) {
    return new AppError('unsupported_media_type', "The request's content-type must be application/json.");
  }
  if (status < 500) return new AppError('invalid_value', exception.message, { cause: exception });
  return new AppError('internal_error', 'Something went wrong in this service.', { cause: exception });
}
