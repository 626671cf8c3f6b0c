import { dialectOf } from '@morgan/distributed-llm';
import type { AppError } from '@morgan/foundation';

/** An error in the shape that the clients of a path read: Anthropic's for its paths, else OpenAI's. */
export function errorBodyOf(error: AppError, url: string): object {
  const path = url.split('?', 1)[0]?.replace(/\/{2,}/g, '/') ?? '';
  if (!/^\/v1\/messages(\/|$)/.test(path)) return error.toEnvelope();
  const { type, code, message } = error.toEnvelope().error;
  return dialectOf('/messages').errorBody({ status: error.status, type, code, message });
}
