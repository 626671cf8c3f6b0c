import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodyTooLarge } from './body/body-content.ts';
import type { ErrorResponder } from './error-responder.ts';

/** Hands what Nest and Fastify catch to {@link ErrorResponder}, in our own terms. */
@Catch()
export class AppErrorFilter implements ExceptionFilter {
  constructor(private readonly errors: ErrorResponder) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const fault = exception instanceof HttpException ? fromHttpException(exception, request) : exception;
    this.errors.respond(fault, request, http.getResponse<FastifyReply>());
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
