import { AppError, type Logger } from '@morgan/foundation';
import {
  type HttpTransport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '@morgan/http-transport';
import { brokenAnswer, callCannotGoOn, type FailedTry } from './call-error.ts';
import type { Host } from './host.ts';
import type { HostMetrics } from './host-metrics.ts';
import { FAULT_OF, type HostFault, type HostOutcome, outcomeOfStatus } from './host-outcome.ts';

/** A call as every host that is tried receives it, but for its address and credentials. */
export interface HostCall {
  readonly method: TransportRequest['method'];
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | undefined;
  readonly signal: AbortSignal;
  readonly id: string;
}

/** How one try ended for the caller: with an answer to pass on, or with a reason to try another host. */
export type Try =
  | { readonly kind: 'answered'; readonly response: TransportResponse }
  | ({ readonly kind: 'failed' } & FailedTry);

/** What {@link Upstream} works with. */
export interface UpstreamOptions {
  readonly transport: HttpTransport;
  readonly logger: Logger;
  readonly metrics: HostMetrics;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** Makes one try at one host, and keeps its books: every try that is started is ended with exactly one outcome. */
export class Upstream {
  constructor(private readonly options: UpstreamOptions) {}

  /** @throws AppError when no other host would help: caller gone, credentials refused, request not sendable. */
  async try(host: Host, call: HostCall): Promise<Try> {
    const startedAt = performance.now();
    host.started();
    let response: TransportResponse;
    try {
      response = await this.#send(host, call);
    } catch (cause) {
      return this.#noAnswer(host, cause);
    }
    this.options.metrics.answered(host, performance.now() - startedAt);
    return this.#answer(host, call, response);
  }

  #send(host: Host, { method, path, headers, body, signal }: HostCall): Promise<TransportResponse> {
    const { transport, firstByteTimeoutMs, idleTimeoutMs } = this.options;
    return transport.request({
      origin: host.origin,
      path: host.basePath + path,
      method,
      headers: host.authorization ? [...headers, 'authorization', host.authorization] : headers,
      body,
      signal,
      firstByteTimeoutMs,
      idleTimeoutMs,
      bodyFault: brokenAnswer,
    });
  }

  #noAnswer(host: Host, cause: unknown): Try {
    const fault = cause instanceof TransportError ? FAULT_OF[cause.reason] : undefined;
    this.#end(host, fault ?? 'aborted');
    if (!fault) throw callCannotGoOn(cause);
    if (fault === 'connect_error' && host.missed(fault)) {
      this.options.logger.warn({ host: host.name, reason: fault, cause }, 'host is down');
    }
    return { kind: 'failed', host, fault, cause };
  }

  #answer(host: Host, call: HostCall, response: TransportResponse): Try {
    const { status, body } = response;
    const outcome = outcomeOfStatus(status);
    if (outcome === 'server_error' || outcome === 'bad_response')
      return this.#refuse(host, response, outcome);
    if (host.reached()) this.options.logger.info({ host: host.name }, 'host is up');
    if (outcome === 'credentials_rejected') {
      response.discard();
      this.#end(host, outcome);
      this.options.logger.error(
        { host: host.name, status, requestId: call.id },
        'host refuses our credentials',
      );
      throw new AppError(
        'host_rejected_credentials',
        `The host ${host.name} refused the gateway's credentials.`,
      );
    }
    body.once('close', () => this.#end(host, body.readableEnded ? outcome : outcomeOfBreak(body.errored)));
    return { kind: 'answered', response };
  }

  #refuse(host: Host, response: TransportResponse, fault: HostFault): Try {
    response.discard();
    this.#end(host, fault);
    return {
      kind: 'failed',
      host,
      fault,
      cause: new Error(`The host answered with status ${response.status}.`),
    };
  }

  #end(host: Host, outcome: HostOutcome): void {
    host.ended(outcome);
    this.options.metrics.ended(host, outcome);
  }
}

/** Whoever reads the body may destroy it with an error of its own: that is the caller's doing. */
function outcomeOfBreak(error: Error | null): HostOutcome {
  return error instanceof AppError && error.code === 'stream_interrupted' ? 'interrupted' : 'aborted';
}
