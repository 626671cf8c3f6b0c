import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import { contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';

/** An error as a protocol other than OpenAI's says it. */
export interface WireError {
  readonly status: number;
  readonly body: object;
}

/** Faults of the controller that it stands at, in the shape of that controller's protocol. */
@Catch(AppError)
export class WireErrorFilter implements ExceptionFilter<AppError> {
  constructor(private readonly write: (error: AppError) => WireError) {}

  catch(error: AppError, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<HttpReply>();
    contextOf(http.getRequest<HttpRequest>()).errorCode = error.code;
    if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
    const { status, body } = this.write(error);
    void reply.status(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
  }
}
