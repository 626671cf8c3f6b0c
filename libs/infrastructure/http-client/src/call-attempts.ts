import { hostVerdict } from '@morgan/circuit-breaker';
import { Deadline, type Policy } from '@morgan/foundation';
import type { HealthMonitor } from '@morgan/health-monitor';
import type { HttpTransport, TransportRequest, TransportResponse } from '@morgan/http-transport';
import { type RepeatableContext, retryAfterMs } from '@morgan/retry';
import type { ClientCall } from './client-call.ts';
import type { ClientPolicies } from './client-policies.ts';

/** What an attempt makes of an answer that is below 400; what it throws is a failure of the attempt. */
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
    return this.#policyFor(request).execute(
      (attempt) => this.#attempt(call, request, attempt, take),
      context,
    );
  }

  /** A stream can be read only once. */
  #policyFor({ body }: TransportRequest): Policy {
    const { repeating, once } = this.parts.policies;
    return body === undefined || Buffer.isBuffer(body) ? repeating : once;
  }

  async #attempt<Result>(
    call: ClientCall,
    request: TransportRequest,
    context: RepeatableContext,
    take: Taking<Result>,
  ): Promise<Result> {
    const startedAt = performance.now();
    call.beginAttempt();
    try {
      const response = await this.#send(request, context);
      const result = await take(call.sift(response));
      this.#report(startedAt, { result: response }, context);
      return result;
    } catch (error) {
      this.#report(startedAt, { error }, context);
      throw error;
    }
  }

  async #send(
    request: TransportRequest,
    { signal, deadline }: RepeatableContext,
  ): Promise<TransportResponse> {
    const { headers = [] } = request;
    const response = await this.parts.transport.request({
      ...request,
      headers: deadline ? [...headers, Deadline.HEADER, deadline.toHeader()] : headers,
      signal,
    });
    if (response.status === 429) this.#slowDown(response);
    return response;
  }

  /** The host says that the limit is its own, and lower than ours. */
  #slowDown({ headers }: TransportResponse): void {
    const { serviceName, policies } = this.parts;
    const waitMs = retryAfterMs(headers);
    void (waitMs === undefined
      ? policies.limiter?.drain(serviceName)
      : policies.limiter?.penalize(serviceName, waitMs));
  }

  #report(startedAt: number, ending: Parameters<typeof hostVerdict>[0], context: RepeatableContext): void {
    const { monitor, serviceName } = this.parts;
    if (!monitor) return;
    const isRefused = 'error' in ending && (ending.error as { status?: unknown }).status === 429;
    const verdict = isRefused ? 'none' : hostVerdict(ending, context);
    if (verdict === 'none') return;
    monitor.report(serviceName, { ok: verdict === 'ok', durationMs: performance.now() - startedAt });
  }
}
