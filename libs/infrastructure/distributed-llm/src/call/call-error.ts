import { AppError, callStopped, type ErrorCode } from '@morgan/foundation';
import { TransportError } from '@morgan/http-transport';
import type { Outcome } from '../evidence/outcome.ts';

/** An error in the gateway's own words, for hosts that said nothing. */
interface OwnWords {
  readonly code: ErrorCode;
  /** What the host did, behind its name. */
  readonly did: string;
}

const FAILED: ErrorCode = 'host_error';

const OWN_WORDS: Readonly<Partial<Record<Outcome, OwnWords>>> = {
  connect_error: { code: 'no_host_available', did: 'could not be reached' },
  saturated: { code: 'no_host_available', did: 'had no free connection' },
  limited: { code: 'no_host_available', did: 'has as many calls as this gateway allows it' },
  timeout: { code: 'host_timeout', did: 'did not begin its answer in time' },
  stalled: { code: 'host_timeout', did: 'fell silent before the first content' },
  outrun: { code: 'host_timeout', did: 'fell silent before the first content' },
  answer_timeout: { code: 'host_timeout', did: 'did not finish its answer in time' },
  reset: { code: FAILED, did: 'cut the connection before its answer began' },
  cut: { code: FAILED, did: 'gave an answer that ended too soon' },
  bad_response: { code: FAILED, did: 'gave an answer that is not valid' },
  redirect: { code: FAILED, did: 'answered with a redirect' },
  html: { code: FAILED, did: 'answered with a web page' },
  empty: { code: FAILED, did: 'gave an empty answer' },
  wrong_type: { code: FAILED, did: 'gave an answer that is not from its API' },
  credentials_rejected: { code: 'host_rejected_credentials', did: "refused the gateway's credentials" },
};

/** No further target is tried: the error that the last one deserves. */
export function targetsFailed(
  attempts: number,
  {
    host,
    outcome,
    cause,
    retryAfterMs,
  }: { host: string; outcome: Outcome; cause: unknown; retryAfterMs: number | undefined },
): AppError {
  const { code, did } = OWN_WORDS[outcome] ?? { code: FAILED, did: 'failed' };
  const message =
    attempts === 1
      ? `1 attempt was made; ${host} ${did}.`
      : `${attempts} attempts were made; the last host, ${host}, ${did}.`;
  return new AppError(code, message, { cause, retryAfterMs });
}

/** There is no target that could be tried. @param retryAfterMs when one can be; none where operators have taken all out. */
export function noTargetToTry(configured: number, retryAfterMs: number | undefined): AppError {
  if (configured === 0) return new AppError('no_host_available', 'No host is configured for this request.');
  if (retryAfterMs === undefined)
    return new AppError(
      'no_host_available',
      'An operator has taken every host of this request out: all are drained, disabled or held open.',
    );
  const message = 'No host can take this request at the moment.';
  return new AppError('no_host_available', message, { retryAfterMs });
}

/** An end for which no other target would help. */
export function callCannotGoOn(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const reason = cause instanceof TransportError ? cause.reason : undefined;
  if (reason === 'aborted') return callStopped({ reason: (cause as TransportError).cause });
  // The caller's own upload broke, was too slow or too large.
  if (reason === 'upload_failed' && (cause as TransportError).cause instanceof AppError)
    return (cause as TransportError).cause as AppError;
  if (reason === 'closed') return new AppError('no_host_available', 'The service is stopping.', { cause });
  return new AppError('internal_error', 'The request could not be passed on.', { cause });
}
