import { dialectOf } from '@morgan/distributed-llm';
import type { AppError } from '@morgan/foundation';
import { plainPath } from '@morgan/http-server';

/** An error in the shape that the clients of a path read: Anthropic's for its paths, else OpenAI's. */
export function errorBodyOf(error: AppError, url: string): object {
  if (!/^\/v1\/messages(\/|$)/.test(plainPath(url))) return error.toEnvelope();
  const { type, code, message } = error.toEnvelope().error;
  return dialectOf('/messages').errorBody({ status: error.status, type, code, message });
}
