import type { AppError, ErrorCode, ErrorKind } from '@morgan/foundation';
import { sentenceOf, type WireError } from '../wire-error.ts';

/** The kinds of error of text-embeddings-inference. */
type TeiErrorType = 'Unhealthy' | 'Backend' | 'Overloaded' | 'Validation' | 'Tokenizer' | 'Empty';

const STATUS: Readonly<Record<TeiErrorType, number>> = {
  Unhealthy: 503,
  Backend: 424,
  Overloaded: 429,
  Validation: 413,
  Tokenizer: 422,
  Empty: 400,
};

const TYPE_OF_CODE: Partial<Record<ErrorCode, TeiErrorType>> = {
  model_loading: 'Unhealthy',
  queue_full: 'Overloaded',
  rate_limited: 'Overloaded',
  overloaded: 'Overloaded',
  empty_array: 'Empty',
  empty_string: 'Empty',
  context_length_exceeded: 'Validation',
  array_above_max_length: 'Validation',
  request_too_large: 'Validation',
  invalid_token_id: 'Tokenizer',
  unsupported_by_model: 'Backend',
};

/** That server has neither models to choose from nor deadlines of callers, and so no status for them. */
const OWN_STATUS: readonly ErrorKind[] = ['not_found', 'timeout'];

/**
 * An error in the shape and with the status that clients of text-embeddings-inference know. A field that is not understood is 422 with
 * `Validation`: 413 would say that something is too large.
 */
export function teiErrorOf(error: AppError): WireError {
  const { code, kind, status } = error;
  const message = sentenceOf(error, 'inputs');
  const known = TYPE_OF_CODE[code];
  if (known !== undefined) return errorOf(STATUS[known], known, message);
  if (kind === 'invalid_request') return errorOf(422, 'Validation', message);
  const type = kind === 'not_found' ? 'Validation' : 'Backend';
  return errorOf(OWN_STATUS.includes(kind) ? status : STATUS[type], type, message);
}

function errorOf(status: number, type: TeiErrorType, message: string): WireError {
  return { status, body: { error: message, error_type: type } };
}
