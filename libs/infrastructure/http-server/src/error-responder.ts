import { AppError, type Logger } from '@morgan/foundation';
import { type ErrorBody, openAiEnvelope } from './error-body.ts';
import type { HttpReply, HttpRequest } from './http-exchange.ts';

/** The one place where a fault becomes an HTTP response: the envelope of its API, the status of its kind, nothing internal. */
export class ErrorResponder {
  constructor(
    private readonly logger: Logger,
    private readonly errorBody: ErrorBody = openAiEnvelope,
  ) {}

  /** @param fault anything that was thrown; what is no AppError is an `internal_error`. */
  respond(fault: unknown, request: HttpRequest, reply: HttpReply): void {
    // A caller that leaves in mid-upload breaks its body; there is nobody to answer, and the request log says 499.
    if (request.raw.destroyed && !request.raw.complete) return;
    const error =
      fault instanceof AppError
        ? fault
        : new AppError('internal_error', 'Something went wrong in this service.', { cause: fault });
    request.requestContext.errorCode = error.code;
    this.#log(error, request);
    if (reply.raw.headersSent || reply.raw.destroyed) {
      reply.raw.destroy();
      return;
    }
    // The rest may never come, and whatever did would be taken for it: nothing more can be asked over this connection.
    if (error.code === 'request_timeout') reply.raw.shouldKeepAlive = false;
    if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
    reply
      .status(error.status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(this.errorBody(error, request)));
  }

  #log(error: AppError, request: HttpRequest): void {
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
