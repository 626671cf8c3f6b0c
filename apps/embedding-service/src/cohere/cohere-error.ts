import type { AppError } from '@morgan/foundation';
import { sentenceOf, type WireError } from '../wire-error.ts';

/** An error as Cohere's clients know it: a message alone. */
export function cohereErrorOf(error: AppError): WireError {
  return { status: error.status, body: { message: sentenceOf(error, 'texts') } };
}
