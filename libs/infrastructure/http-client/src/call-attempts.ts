import { type CallContext, Deadline, retryAfterMs } from '@morgan/foundation';
import {
  type HttpTransport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '@morgan/http-transport';
import type { RepeatableContext } from '@morgan/retry';
import type { ClientCall } from './client-call.ts';
import type { ClientPolicies } from './client-policies.ts';
import type { ServiceHealth } from './service-health.ts';

/** What an attempt makes of a response of any status; what it throws is a failure of the attempt. */
export type Taking<Result> = (response: TransportResponse) => Promise<Result> | Result;

/** What {@link CallAttempts} works with. */
interface CallAttemptsParts {
  readonly transport: HttpTransport;
  readonly policies: ClientPolicies;
  readonly health: ServiceHealth | undefined;
}

/** Makes the attempts of calls: a request each, with all policies around, and reports what came of it to the rate limit and to the health. */
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
    const { transport, policies, health } = this.parts;
    const startedAt = performance.now();
    call.beginAttempt();
    try {
      const response = await transport.request(attemptOf(call, request, context));
      // The host says that the limit is its own, and lower than ours.
      if (response.status === 429) void policies.attempts.slowDown(retryAfterMs(response.headers));
      const result = await take(response);
      health?.attempted({ result: response }, performance.now() - startedAt, context);
      return result;
    } catch (error) {
      if (error instanceof TransportError && error.stale) call.needsFresh = true;
      health?.attempted({ error }, performance.now() - startedAt, context);
      throw error;
    }
  }
}

/** The request with the time that is left, and the signal of this attempt. */
function attemptOf(
  { needsFresh }: ClientCall,
  request: TransportRequest,
  { signal, deadline }: CallContext,
): TransportRequest {
  const { headers = [] } = request;
  return {
    ...request,
    headers: deadline ? [...headers, Deadline.HEADER, deadline.toHeader()] : headers,
    signal,
    freshConnection: needsFresh,
  };
}
