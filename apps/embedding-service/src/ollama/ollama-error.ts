import type { AppError } from '@morgan/foundation';
import { sentenceOf, type WireError } from '../wire-error.ts';

/** An error as Ollama's clients know it: a sentence. They show an object as `[object Object]`. */
export function ollamaErrorOf(error: AppError): WireError {
  return { status: error.status, body: { error: sentenceOf(error) } };
}
