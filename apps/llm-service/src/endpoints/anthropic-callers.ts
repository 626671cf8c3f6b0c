import type { IncomingHttpHeaders } from 'node:http';
import { plainPath, REQUEST_ID_HEADER } from '@morgan/http-server';

/** What is none of these costs no look at its path. */
const MAYBE = /\/(?:messages|models|files|skills|complete)/;
const MESSAGES = /^\/v1\/messages(\/|$)/;
/** Both APIs have these, each with answers of its own; or nobody here has them, such as messages below a wrong base URL. */
const SHARED = /^\/v1\/(?:models|files|skills|complete)(\/|$)|\/v1\/messages(\/|$)/;

/** Where Anthropic's clients look for the id of a request. */
export const ANTHROPIC_ID_HEADER = 'request-id';

const ID_HEADERS = [REQUEST_ID_HEADER];
const BOTH_ID_HEADERS = [REQUEST_ID_HEADER, ANTHROPIC_ID_HEADER];

/** Whether answers to it are Anthropic's: by its path, or by the version that Anthropic's clients send with everything. */
export function isAnthropicCall(url: string, headers: IncomingHttpHeaders): boolean {
  if (!MAYBE.test(url)) return false;
  const path = plainPath(url);
  return MESSAGES.test(path) || (headers['anthropic-version'] !== undefined && SHARED.test(path));
}

/** The headers that tell a caller the id of its request. */
export function requestIdHeadersOf(url: string, headers: IncomingHttpHeaders): readonly string[] {
  return isAnthropicCall(url, headers) ? BOTH_ID_HEADERS : ID_HEADERS;
}
