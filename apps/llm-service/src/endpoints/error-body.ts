import { dialectOf } from '@morgan/distributed-llm';
import type { AppError } from '@morgan/foundation';
import { type ErrorReader, plainPath } from '@morgan/http-server';
import { isAnthropicCall } from './anthropic-callers.ts';

const OF_OLLAMA =
  /^\/api\/(?:chat|generate|embed|embeddings|tags|show|ps|version|pull|push|create|copy|delete)$/;

/**
 * An error in the shape that whoever has called reads: Anthropic's clients their own, Ollama's a sentence, though none of its paths
 * are here, because they show an object as `[object Object]`; all others OpenAI's.
 */
export function errorBodyOf(error: AppError, { url, headers }: ErrorReader): object {
  if (OF_OLLAMA.test(plainPath(url))) return { error: error.message };
  if (!isAnthropicCall(url, headers)) return error.toEnvelope();
  const { type, code, message } = error.toEnvelope().error;
  return dialectOf('/messages').errorBody({ status: error.status, type, code, message });
}
