import { z } from 'zod';

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

function faultOf(text: string): string | undefined {
  const parsed = URL.parse(text);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return 'must be an http:// or https:// URL';
  if (parsed.username || parsed.password) return 'must not hold credentials; there is a setting for the key';
  if (/[?#]/.test(text)) return 'must not have a query or a fragment';
  // A parser takes line ends out, and two URLs become one.
  if (/\s/.test(text)) return 'must not have white space in it';
  return undefined;
}
