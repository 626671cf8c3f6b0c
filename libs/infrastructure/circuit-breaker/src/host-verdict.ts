import { AppError, type CallContext, type ErrorKind } from '@morgan/foundation';

/** What a call says about its host: `none` where it says nothing, because the host had no part in how it ended. */
export type Verdict = 'ok' | 'fault' | 'none';

/** How a call ended. */
export type Ending = { readonly result: unknown } | { readonly error: unknown };

/** Says what an ended call means for the breaker. It must not throw. */
export type Classifier = (ending: Ending, context: CallContext) => Verdict;

/** An error of these kinds without an HTTP status behind it was made here, or blames the caller. */
const VERDICT_OF_KIND: Readonly<Record<ErrorKind, Verdict>> = {
  invalid_request: 'none',
  unauthenticated: 'none',
  forbidden: 'none',
  not_found: 'none',
  method_not_allowed: 'none',
  request_timeout: 'none',
  too_large: 'none',
  unsupported_media_type: 'none',
  expectation_failed: 'none',
  headers_too_large: 'none',
  rate_limited: 'none',
  overloaded: 'none',
  unavailable: 'fault',
  upstream_failed: 'fault',
  timeout: 'fault',
  cancelled: 'none',
  internal: 'none',
};

const FAULTY_4XX: ReadonlySet<number> = new Set([408, 425, 429]);

/** Words of a transport for what happened on this side: given up, stopping, no connection free, nothing to be sent, too much to be read. */
const OUR_OWN_REASONS: ReadonlySet<unknown> = new Set([
  'aborted',
  'closed',
  'invalid_request',
  'pool_timeout',
  'too_large',
  'upload_failed',
]);

const CAUSES_READ = 5;

/** Whatever an error or a result says of itself. */
type Marks = Readonly<Record<string, unknown>>;

/**
 * The classifier of every breaker that has no other. An HTTP status decides first, in a result (`status`, `statusCode`),
 * in an error or its causes (also `response.status`): 5xx, 408, 425 and 429 are faults, any other answer is good. A
 * transport's `reason` that blames this side says nothing. Then the kind of an `AppError`. The caller's own abort says
 * nothing, but running out of time does; other errors are faults.
 */
export function hostVerdict(ending: Ending, { signal }: CallContext): Verdict {
  if ('result' in ending) return verdictOfStatus(statusOf(ending.result)) ?? 'ok';
  if (signal.aborted) return isTimeout(signal.reason) ? 'fault' : 'none';
  return verdictOfError(ending.error);
}

function verdictOfError(error: unknown): Verdict {
  let cause = error;
  for (let depth = 0; depth < CAUSES_READ && isObject(cause); depth += 1) {
    const verdict = cause instanceof AppError ? undefined : verdictOfMarks(cause);
    if (verdict) return verdict;
    cause = cause['cause'];
  }
  if (error instanceof AppError) return error.code === 'circuit_open' ? 'none' : VERDICT_OF_KIND[error.kind];
  return isObject(error) && error['name'] === 'AbortError' ? 'none' : 'fault';
}

function verdictOfMarks(error: Marks): Verdict | undefined {
  const isOfTransport = typeof error['beforeResponse'] === 'boolean';
  if (isOfTransport && OUR_OWN_REASONS.has(error['reason'])) return 'none';
  return verdictOfStatus(statusOf(error));
}

function verdictOfStatus(status: number | undefined): Verdict | undefined {
  if (status === undefined) return undefined;
  return status >= 500 || FAULTY_4XX.has(status) ? 'fault' : 'ok';
}

function statusOf(value: unknown): number | undefined {
  if (!isObject(value)) return undefined;
  const { status, statusCode, response } = value;
  const found = status ?? statusCode ?? (isObject(response) ? response['status'] : undefined);
  return typeof found === 'number' ? found : undefined;
}

function isTimeout(reason: unknown): boolean {
  if (reason instanceof AppError) return reason.kind === 'timeout';
  return isObject(reason) && reason['name'] === 'TimeoutError';
}

function isObject(value: unknown): value is Marks {
  return typeof value === 'object' && value !== null;
}
