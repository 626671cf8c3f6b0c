import { randomUUID } from 'node:crypto';
import { AppError, type Deadline } from '@morgan/foundation';
import { TransportError, type TransportResponse } from '@morgan/http-transport';
import { DeadlineScope, type RepeatableContext } from '@morgan/retry';
import { callError, type HttpClientError } from './http-client-error.ts';
import type { CallEnd } from './http-client-metrics.ts';
import { UnwantedStatus } from './unwanted-status.ts';

/** What bounds a call, and what may be done with it. */
export interface CallOptions {
  /** Ends the call, in whatever it is waiting for, and the body of a streamed response. */
  readonly signal?: AbortSignal | undefined;
  /** By when all of the call must be over, the body of a streamed response included. Sent on in a header. */
  readonly deadline?: Deadline | undefined;
  /** In place of the client's `timeout.totalMs`, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Sent as `x-request-id`. Default: a new one. */
  readonly requestId?: string | undefined;
  /** False: repeated only after faults before anything was sent, and never hedged. Default: as the client is set. */
  readonly idempotent?: boolean | undefined;
}

/** Told once, when a call is over. */
type CallObserver = (end: CallEnd) => void;

/** One call of a client, over as many attempts as it takes, until its response is read or it has failed for good. */
export class ClientCall {
  readonly startedAt = performance.now();
  /** Requests sent, or tried to be, so far. */
  attempt = 0;
  /** Whether the request was lost on a kept connection: then the next attempt opens a new one. */
  needsFresh = false;
  /** What `x-request-id` says. */
  readonly id: string;
  /** When the response was there, or began; none while it is not. */
  respondedAt: number | undefined;
  readonly #scope: DeadlineScope<RepeatableContext>;
  readonly #refused: TransportResponse[] = [];
  readonly #deadline: Deadline | undefined;

  constructor(
    readonly serviceName: string,
    { signal, deadline, timeoutMs, requestId, idempotent }: CallOptions,
    private readonly over: CallObserver,
  ) {
    this.id = requestId ?? randomUUID();
    this.#deadline = deadline;
    this.#scope = new DeadlineScope<RepeatableContext>(
      { id: this.id, signal, deadline, idempotent },
      timeoutMs,
    );
  }

  /** Runs what the call is about, and no longer than it may take. @throws HttpClientError */
  async run<Result>(work: (context: RepeatableContext) => Promise<Result>): Promise<Result> {
    try {
      return await this.#scope.run(work);
    } catch (error) {
      const failure = callError(error, this);
      this.#end(failure.category);
      throw failure;
    }
  }

  /** The beginning of an attempt: what earlier ones left unread is given up. */
  beginAttempt(): void {
    this.attempt += 1;
    this.#discard();
  }

  /** Lets a response below 400 pass and makes any other a failure of its attempt. @throws UnwantedStatus */
  accept(response: TransportResponse): TransportResponse {
    if (response.status < 400) return response;
    this.#refused.push(response);
    throw new UnwantedStatus(response);
  }

  /** All of the response is here. */
  finish(): void {
    this.respondedAt = performance.now();
    this.#end('ok');
  }

  /** The response has begun; the call is over with the end of its body, or when its caller's time is up. */
  finishWith({ body }: TransportResponse): void {
    const { signal } = this.#scope.context;
    this.respondedAt = performance.now();
    this.#scope.restartClock(this.#deadline);
    // Not every policy lets its signal reach a body that outlives it.
    const stop = () => body.destroy(this.bodyError());
    signal.addEventListener('abort', stop, { once: true });
    body.once('close', () => {
      signal.removeEventListener('abort', stop);
      this.#end(endOf(body.errored, body.readableEnded));
    });
    if (signal.aborted) stop();
  }

  /** What a reader of the body meets when it breaks. */
  readonly bodyError = (fault?: TransportError): HttpClientError => {
    const { signal } = this.#scope.context;
    const reason: unknown = signal.reason;
    if (!signal.aborted && fault) return callError(fault, this);
    if (reason instanceof AppError || reason instanceof TransportError) return callError(reason, this);
    return callError(new TransportError('aborted', false, reason), this);
  };

  /** The client stops. */
  abort(): void {
    this.#scope.abort(new TransportError('closed', true));
  }

  #end(end: CallEnd): void {
    this.#scope[Symbol.dispose]();
    this.#discard();
    this.over(end);
  }

  #discard(): void {
    if (this.#refused.length === 0) return;
    for (const response of this.#refused.splice(0)) response.discard();
  }
}

/** A reader that has enough may destroy the body without an error: that is the caller's doing. */
function endOf(error: Error | null, isWhole: boolean): CallEnd {
  if (isWhole) return 'ok';
  return (error as Partial<HttpClientError> | null)?.category ?? 'cancelled';
}
