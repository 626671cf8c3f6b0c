import type { AppError } from '@morgan/foundation';
import type { WireError } from '../wire-error.ts';

/** An error as Ollama's clients know it: a sentence. They show an object as `[object Object]`. */
export function ollamaErrorOf({ status, message }: AppError): WireError {
  return { status, body: { error: message } };
}
