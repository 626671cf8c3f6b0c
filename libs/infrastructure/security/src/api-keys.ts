import { createHmac, hash, randomBytes } from 'node:crypto';
import type { Authenticator } from '@morgan/http-server';

/** The headers in which OpenAI's, Anthropic's and Azure's clients send their key. */
const KEY_HEADERS: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'api-key']);

/** Of its digest, in hexadecimal: enough to tell keys apart, too little to find a random key by. */
const NAME_LENGTH = 8;

/**
 * Checks the key in `Authorization: Bearer`, `x-api-key` or `api-key` against the configured ones. A key is looked up by a digest that
 * depends on a secret of this process, and one that was admitted in a hash table, whose seed is the process's own, too: neither lets
 * timing reveal how much of a key was right, and both take the same time however many keys there are. A caller that sends several
 * different keys is refused, as nobody can say which one it means. Without configured keys everybody is admitted.
 */
export class ApiKeys implements Authenticator {
  readonly #secret = randomBytes(32);
  /** The name of each key, by its digest. */
  #names: ReadonlyMap<string, string>;
  /** The name of each key that was admitted: no more than are configured. A digest costs more than all else here. */
  readonly #admitted = new Map<string, string>();

  constructor(keys: readonly string[]) {
    this.#names = this.#namesOf(keys);
  }

  /**
   * Admits these keys from now on, and no other. Whether a key is needed at all does not change: that would let everybody in, or
   * nobody, by a slip. @throws RangeError
   */
  replace(keys: readonly string[]): void {
    if (this.open || keys.length === 0) throw new RangeError('keys can only be replaced by keys');
    this.#names = this.#namesOf(keys);
    this.#admitted.clear();
  }

  /** Whether every caller is admitted because no key is configured. */
  get open(): boolean {
    return this.#names.size === 0;
  }

  get callers(): number {
    return Math.max(1, this.#names.size);
  }

  /**
   * The beginning of the key's SHA-256 digest, in hexadecimal. Unlike a place among the configured keys it means the same caller
   * in every replica and after every change of the list, so that limits which replicas share are never those of somebody else.
   */
  identify(rawHeaders: readonly string[]): string | undefined {
    if (this.open) return '';
    const key = sentKey(rawHeaders);
    if (key === undefined) return undefined;
    return this.#admitted.get(key) ?? this.#admit(key);
  }

  #admit(key: string): string | undefined {
    const name = this.#names.get(this.#digestOf(key));
    if (name !== undefined) this.#admitted.set(key, name);
    return name;
  }

  #namesOf(keys: readonly string[]): ReadonlyMap<string, string> {
    return new Map(keys.map((key) => [this.#digestOf(key), nameOf(key)]));
  }

  #digestOf(key: string): string {
    return createHmac('sha256', this.#secret).update(key).digest('base64');
  }
}

/** The one key among the headers; undefined where there is none, and where there are different ones. */
function sentKey(rawHeaders: readonly string[]): string | undefined {
  let key: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (!KEY_HEADERS.has(name)) continue;
    const value = (rawHeaders[index + 1] as string).trim();
    const own = name === 'authorization' ? bearerToken(value) : value;
    if (own === undefined || own === '') continue;
    if (key !== undefined && key !== own) return undefined;
    key = own;
  }
  return key;
}

/** Other schemes may belong to a proxy on the way and are no key of ours. */
function bearerToken(value: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(value)?.[1];
}

function nameOf(key: string): string {
  return hash('sha256', key).slice(0, NAME_LENGTH);
}
