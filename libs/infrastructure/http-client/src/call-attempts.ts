import { assessCall, type CallContext, type CallEnding, Deadline, retryAfterMs } from '@morgan/foundation';
import type { HealthMonitor } from '@morgan/health-monitor';
import type { HttpTransport, TransportRequest, TransportResponse } from '@morgan/http-transport';
import type { RepeatableContext } from '@morgan/retry';
import type { ClientCall } from './client-call.ts';
import type { ClientPolicies } from './client-policies.ts';

/** What an attempt makes of a response that is below 400; what it throws is a failure of the attempt. */
export type Taking<Result> = (response: TransportResponse) => Promise<Result> | Result;

/** What {@link CallAttempts} works with. */
export interface CallAttemptsParts {
  readonly serviceName: string;
  readonly transport: HttpTransport;
  readonly policies: ClientPolicies;
  readonly monitor: HealthMonitor | undefined;
}

/** Makes the attempts of calls: a request each, with all policies around, and tells limiter and monitor what came of it. */
export class CallAttempts {
  constructor(private readonly parts: CallAttemptsParts) {}

  /** @throws UnwantedStatus, TransportError, or what a policy refuses with. */
  run<Result>(
    call: ClientCall,
    request: TransportRequest,
    context: RepeatableContext,
    take: Taking<Result>,
  ): Promise<Result> {
    const { body } = request;
    // A stream can be read only once.
    const repeatable = body === undefined || Buffer.isBuffer(body);
    return this.parts.policies.execute(
      (attempt) => this.#attempt(call, request, attempt, take),
      context,
      repeatable,
    );
  }

  async #attempt<Result>(
    call: ClientCall,
    request: TransportRequest,
    context: CallContext,
    take: Taking<Result>,
  ): Promise<Result> {
    const startedAt = performance.now();
    call.beginAttempt();
    try {
      const response = await this.parts.transport.request(attemptOf(request, context));
      // The host says that the limit is its own, and lower than ours.
      if (response.status === 429) void this.parts.policies.attempts.slowDown(retryAfterMs(response.headers));
      const result = await take(call.accept(response));
      this.#report(startedAt, { result: response }, context);
      return result;
    } catch (error) {
      this.#report(startedAt, { error }, context);
      throw error;
    }
  }

  #report(startedAt: number, ending: CallEnding, context: CallContext): void {
    const { monitor, serviceName } = this.parts;
    if (!monitor) return;
    const isRefused = 'error' in ending && (ending.error as { status?: unknown }).status === 429;
    const verdict = isRefused ? 'ignored' : assessCall(ending, context).verdict;
    if (verdict === 'ignored') return;
    monitor.report(serviceName, { ok: verdict === 'success', durationMs: performance.now() - startedAt });
  }
}

/** The request with the time that is left, and the signal of this attempt. */
function attemptOf(request: TransportRequest, { signal, deadline }: CallContext): TransportRequest {
  const { headers = [] } = request;
  return {
    ...request,
    headers: deadline ? [...headers, Deadline.HEADER, deadline.toHeader()] : headers,
    signal,
  };
}
