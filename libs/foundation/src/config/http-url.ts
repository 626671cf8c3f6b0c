import { z } from 'zod';
import { isUnresolved, UNRESOLVED_FAULT } from './variables.ts';

/**
 * A setting that holds the base URL of a service: http or https, without query or fragment. Credentials are refused: a URL is
 * shown in logs and errors, so they have settings of their own. No message repeats the value.
 */
export function httpUrl(options: Parameters<typeof z.string>[0] = {}) {
  return z.string(options).superRefine((text, context) => {
    const message = faultOf(text);
    if (message) context.addIssue({ code: 'custom', message });
  });
}

/** What people take for a base URL: requests would go to `…/chat/completions/chat/completions`. */
const ENDPOINT = /\/(completions|responses|messages|embeddings)\/*$/;

/**
 * As {@link httpUrl}, for the base URL of an OpenAI-compatible API: the path of an endpoint, such as `/embeddings`, is
 * refused.
 */
export function apiUrl(options: Parameters<typeof httpUrl>[0] = {}) {
  return httpUrl(options).refine((url) => !ENDPOINT.test(url), 'is a base URL: leave the endpoint out');
}

/** A setting that holds the URL of a forward proxy, which may have credentials in it. A service takes `ALL_PROXY` in its place. */
export const proxyUrl = z.url({
  protocol: /^https?$/,
  error: 'must be an http:// or https:// URL, as must ALL_PROXY in its place',
});

function faultOf(text: string): string | undefined {
  if (isUnresolved(text)) return UNRESOLVED_FAULT;
  const parsed = URL.parse(text);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return 'must be an http:// or https:// URL';
  if (parsed.username || parsed.password) return 'must not hold credentials; there is a setting for the key';
  if (/[?#]/.test(text)) return 'must not have a query or a fragment';
  // A parser takes line ends out, and two URLs become one.
  if (/\s/.test(text)) return 'must not have white space in it';
  return undefined;
}
