import { createHash, timingSafeEqual } from 'node:crypto';
import type { Authenticator } from '@morgan/http-server';

/**
 * Checks bearer tokens against the configured keys. Holds only SHA-256 digests and compares all of them in constant
 * time, so that neither memory nor timing tells a key. Without keys every caller is admitted.
 */
export class ApiKeys implements Authenticator {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /** Whether every caller is admitted because no key is configured. */
  get open(): boolean {
    return this.#digests.length === 0;
  }

  admits(authorization: string | undefined): boolean {
    if (this.open) return true;
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return false;
    const given = digest(token);
    return this.#digests.filter((known) => timingSafeEqual(known, given)).length > 0;
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
