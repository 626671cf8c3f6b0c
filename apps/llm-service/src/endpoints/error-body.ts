import { dialectOf } from '@morgan/distributed-llm';
import type { AppError } from '@morgan/foundation';
import { plainPath } from '@morgan/http-server';

/** Anthropic's clients read a request's id from this header. */
export const ANTHROPIC_ID_HEADER = 'request-id';
const ANTHROPIC_PATH = /^\/v1\/messages(\/|$)/;

function isAnthropic(url: string): boolean {
  return url.includes('/messages') && ANTHROPIC_PATH.test(plainPath(url));
}

/** The header that the clients of a path look for an id in. */
export function idHeaderOf(url: string): string | undefined {
  return isAnthropic(url) ? ANTHROPIC_ID_HEADER : undefined;
}

/** An error in the shape that the clients of a path read: Anthropic's for its paths, else OpenAI's. */
export function errorBodyOf(error: AppError, url: string): object {
  if (!isAnthropic(url)) return error.toEnvelope();
  const { type, code, message } = error.toEnvelope().error;
  return dialectOf('/messages').errorBody({ status: error.status, type, code, message });
}
