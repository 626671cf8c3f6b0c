import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { AppError, type Logger } from '@morgan/foundation';
import type { FastifyReply, FastifyRequest } from 'fastify';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** The one place where a fault becomes an HTTP answer: OpenAI's envelope, the status of its kind, nothing internal. */
@Catch()
export class AppErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = this.#classify(exception, request, reply);
    request.requestContext.errorCode = error.code;
    this.#log(error, request);
    if (reply.raw.headersSent || reply.raw.destroyed) {
      reply.raw.destroy();
      return;
    }
    if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
    // Fastify would close at once, and a client in mid-upload would meet a broken pipe instead of the reason. Node reads
    // the rest away, within the time that a request may take to arrive.
    if (error.code === 'request_too_large') reply.removeHeader('connection');
    void reply
      .status(error.status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(error.toEnvelope()));
  }

  #classify(exception: unknown, request: FastifyRequest, reply: FastifyReply): AppError {
    if (exception instanceof AppError) return exception;
    if (exception instanceof HttpException) return fromHttpException(exception, request, reply);
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

function fromHttpException(exception: HttpException, request: FastifyRequest, reply: FastifyReply): AppError {
  const status = exception.getStatus();
  if (status === 404) return unmatched(request, reply);
  if (status === 413) {
    const limit = request.server.initialConfig.bodyLimit;
    return new AppError('request_too_large', `The request body is larger than the limit of ${limit} bytes.`);
  }
  if (status === 415) {
    return new AppError('unsupported_media_type', "The request's content-type must be application/json.");
  }
  if (status < 500) return new AppError('invalid_value', exception.message, { cause: exception });
  return new AppError('internal_error', 'Something went wrong in this service.', { cause: exception });
}

function unmatched(request: FastifyRequest, reply: FastifyReply): AppError {
  const path = request.url.split('?', 1)[0] ?? '/';
  const allowed = METHODS.filter((method) => request.server.hasRoute({ url: path, method }));
  if (allowed.length === 0)
    return new AppError('unknown_url', `Unknown request URL: ${request.method} ${path}.`);
  reply.header('allow', allowed.join(', '));
  return new AppError('method_not_allowed', `${path} takes ${allowed.join(', ')}, not ${request.method}.`);
}
