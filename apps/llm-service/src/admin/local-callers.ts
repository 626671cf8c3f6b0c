import type { Authenticator } from '@morgan/http-server';
import { isLoopback } from './admin.config.ts';

/**
 * Admits programs on this machine where no key is configured, but no web page that is open on it: browsers name the page
 * in `origin`, and a page that gave itself a name for 127.0.0.1 has that name in `host`.
 */
export class LocalCallers implements Authenticator {
  identify(rawHeaders: readonly string[]): string | undefined {
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = (rawHeaders[at] as string).toLowerCase();
      if (name === 'origin') return undefined;
      if (name === 'host' && !isLocal(rawHeaders[at + 1] as string)) return undefined;
    }
    return '';
  }
}

function isLocal(host: string): boolean {
  const url = URL.parse(`http://${host}`);
  return url !== null && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
}
