import type { AppError } from '@morgan/foundation';
import type { WireError } from '../wire-error.ts';

/** An error as Cohere's clients know it: a message alone. */
export function cohereErrorOf({ status, message }: AppError): WireError {
  return { status, body: { message } };
}
