import type { CircuitBreakerRegistry } from '@morgan/circuit-breaker';
import { AppError, Deadline, type Logger, type Verdict } from '@morgan/foundation';
import type { HealthMonitor } from '@morgan/health-monitor';
import {
  type HttpTransport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '@morgan/http-transport';
import type { RetryBudget } from '@morgan/retry';
import { brokenAnswer, callCannotGoOn, credentialsRejected, type FailedTry } from './call-error.ts';
import type { DistributedLlmConfig } from './distributed-llm.config.ts';
import type { Host } from './host.ts';
import type { HostMetrics } from './host-metrics.ts';
import { FAULT_OF, type HostOutcome, outcomeOfStatus, VERDICT_OF } from './host-outcome.ts';

/** A call as every host that is tried receives it, but for its address, its credentials and the time that is left. */
export interface HostCall {
  readonly method: TransportRequest['method'];
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | undefined;
  readonly signal: AbortSignal;
  readonly deadline: Deadline | undefined;
  readonly id: string;
}

/** How one try ended for the caller, and what that says of the host. */
export type Try = { readonly verdict: Verdict } & (
  | { readonly kind: 'answered'; readonly response: TransportResponse }
  /** A reason to try another host. */
  | ({ readonly kind: 'failed' } & FailedTry)
  /** No other host would help: caller gone, out of time, credentials refused, request not sendable. */
  | { readonly kind: 'over'; readonly error: AppError }
);

/** What {@link Upstream} works with. */
export interface UpstreamOptions {
  readonly transport: HttpTransport;
  readonly logger: Logger;
  readonly metrics: { readonly hosts: HostMetrics };
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly circuitBreaker: DistributedLlmConfig['circuitBreaker'];
}

/**
 * Makes one try at one host, inside its breaker, and keeps its books: every try that is started is ended with exactly
 * one outcome, of which the host's health hears too. A try that met a stale connection is made over a new one.
 */
export class Upstream {
  constructor(
    private readonly options: UpstreamOptions,
    private readonly health: HealthMonitor,
    private readonly breakers: CircuitBreakerRegistry,
    private readonly budget: RetryBudget,
  ) {}

  /** The breaker is done with it when the headers of an answer are here. @throws AppError `circuit_open` */
  try(host: Host, call: HostCall): Promise<Try> {
    const { id, signal } = call;
    // Without the deadline: one that is over ends the try by itself, and must not count as a probe that failed.
    return this.breakers.get(host.name).execute(() => this.#ask(host, call), { id, signal });
  }

  async #ask(host: Host, call: HostCall): Promise<Try> {
    const startedAt = performance.now();
    host.started();
    let response: TransportResponse;
    try {
      response = await this.#send(host, call);
    } catch (cause) {
      return this.#noAnswer(host, cause, startedAt);
    }
    this.options.metrics.hosts.answered(host, performance.now() - startedAt);
    return this.#answer(host, call, response, startedAt);
  }

  async #send(host: Host, call: HostCall): Promise<TransportResponse> {
    try {
      return await this.#request(host, call);
    } catch (cause) {
      // The host had closed a kept connection, which says nothing of how it is: a new one has every chance.
      const isStale = cause instanceof TransportError && cause.stale;
      if (!isStale || !this.budget.take('retry')) throw cause;
      return this.#request(host, call);
    }
  }

  #request(
    host: Host,
    { method, path, headers, body, signal, deadline }: HostCall,
  ): Promise<TransportResponse> {
    const { transport, firstByteTimeoutMs, idleTimeoutMs } = this.options;
    return transport.request({
      origin: host.origin,
      path: host.basePath + path,
      method,
      headers: [
        ...headers,
        ...(deadline ? [Deadline.HEADER, deadline.toHeader()] : []),
        ...(host.authorization ? ['authorization', host.authorization] : []),
      ],
      body,
      signal,
      firstByteTimeoutMs,
      idleTimeoutMs,
      bodyFault: brokenAnswer,
    });
  }

  #noAnswer(host: Host, cause: unknown, startedAt: number): Try {
    const fault = cause instanceof TransportError ? FAULT_OF[cause.reason] : undefined;
    if (fault) return { kind: 'failed', host, fault, cause, verdict: this.#end(host, fault, startedAt) };
    const error = callCannotGoOn(cause);
    const outcome = outcomeOfStop(error);
    const { slowCallMs = Infinity } = this.options.circuitBreaker;
    const wasSlow = outcome === 'expired' && performance.now() - startedAt >= slowCallMs;
    return {
      kind: 'over',
      error,
      verdict: this.#end(host, outcome, startedAt, wasSlow ? 'failure' : 'ignored'),
    };
  }

  #answer(host: Host, call: HostCall, response: TransportResponse, startedAt: number): Try {
    const { status, body } = response;
    const outcome = outcomeOfStatus(status);
    if (outcome === 'server_error' || outcome === 'bad_response') {
      response.discard();
      const cause = new Error(`The host answered with status ${status}.`);
      return { kind: 'failed', host, fault: outcome, cause, verdict: this.#end(host, outcome, startedAt) };
    }
    if (outcome === 'credentials_rejected') {
      response.discard();
      const fields = { host: host.name, status, requestId: call.id };
      this.options.logger.error(fields, 'host refuses our credentials');
      return { kind: 'over', error: credentialsRejected(host), verdict: this.#end(host, outcome, startedAt) };
    }
    body.once('close', () =>
      this.#end(host, body.readableEnded ? outcome : outcomeOfBreak(body.errored), startedAt),
    );
    return { kind: 'answered', response, verdict: VERDICT_OF[outcome] };
  }

  #end(host: Host, outcome: HostOutcome, startedAt: number, verdict = VERDICT_OF[outcome]): Verdict {
    host.ended(outcome, verdict === 'failure');
    this.options.metrics.hosts.ended(host, outcome);
    if (verdict !== 'ignored')
      this.health.report(host.name, { ok: verdict === 'success', durationMs: performance.now() - startedAt });
    return verdict;
  }
}

/** Whoever reads the body may destroy it with an error of its own: that is the caller's doing. */
function outcomeOfBreak(error: Error | null): HostOutcome {
  if (!(error instanceof AppError)) return 'aborted';
  return error.code === 'stream_interrupted' ? 'interrupted' : outcomeOfStop(error);
}

function outcomeOfStop({ code }: AppError): HostOutcome {
  return code === 'deadline_exceeded' ? 'expired' : 'aborted';
}
