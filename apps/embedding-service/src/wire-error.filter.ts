import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import type { HttpReply } from '@morgan/http-server';
import { refuse, type WireErrorWriter } from './wire-error.ts';

/** Faults of the controller that it stands at, in the shape of that controller's protocol. */
@Catch(AppError)
export class WireErrorFilter implements ExceptionFilter<AppError> {
  constructor(private readonly write: WireErrorWriter) {}

  catch(error: AppError, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<HttpReply>();
    void reply.send(refuse(reply, error, this.write));
  }
}
