import type { AppError } from '@morgan/foundation';
import { type ErrorReader, plainPath } from '@morgan/http-server';
import { dialectOf } from '@morgan/llm-protocol';
import { isAnthropicCall } from './anthropic-callers.ts';
import { OF_OLLAMA } from './path-hint.ts';

/** What begins so is Cohere's. */
const OF_COHERE = '/v2/';

/**
 * An error in the shape that whoever has called reads: Anthropic's clients their own; Ollama's a sentence, though none of its paths
 * are here, because they show an object as `[object Object]`; Cohere's a message beside OpenAI's shape; all others OpenAI's alone.
 */
export function errorBodyOf(error: AppError, { url, headers }: ErrorReader): object {
  const path = plainPath(url);
  if (OF_OLLAMA.test(path)) return { error: error.message };
  if (path.startsWith(OF_COHERE)) return { message: error.message, ...error.toEnvelope() };
  if (!isAnthropicCall(url, headers)) return error.toEnvelope();
  const { type, code, message } = error.toEnvelope().error;
  return dialectOf('/messages').errorBody({ status: error.status, type, code, message });
}
