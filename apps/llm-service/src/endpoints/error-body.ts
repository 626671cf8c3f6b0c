import { dialectOf } from '@morgan/distributed-llm';
import type { AppError } from '@morgan/foundation';
import type { ErrorReader } from '@morgan/http-server';
import { isAnthropicCall } from './anthropic-callers.ts';

/** An error in the shape that whoever has called reads: Anthropic's clients their own, all others OpenAI's. */
export function errorBodyOf(error: AppError, { url, headers }: ErrorReader): object {
  if (!isAnthropicCall(url, headers)) return error.toEnvelope();
  const { type, code, message } = error.toEnvelope().error;
  return dialectOf('/messages').errorBody({ status: error.status, type, code, message });
}
