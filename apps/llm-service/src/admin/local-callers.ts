import { type Authenticator, isLoopback } from '@morgan/http-server';

/** Browsers name the page that asks in the first, proxies for whom they ask in the others. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  'origin',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
]);

/**
 * Admits programs on this machine where no key is configured, but no web page that is open on it, and nobody whom a proxy
 * on it lets in. A page that gave itself a name for 127.0.0.1 has that name in `host`.
 */
export class LocalCallers implements Authenticator {
  identify(rawHeaders: readonly string[]): string | undefined {
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = (rawHeaders[at] as string).toLowerCase();
      const value = rawHeaders[at + 1] as string;
      if (OF_OTHERS.has(name)) return undefined;
      // What an operator types into a browser, and what the page of this API loads.
      if (name === 'sec-fetch-site' && value !== 'none' && value !== 'same-origin') return undefined;
      if (name === 'host' && !isLocal(value)) return undefined;
    }
    return '';
  }
}

function isLocal(host: string): boolean {
  const url = URL.parse(`http://${host}`);
  return url !== null && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
}
