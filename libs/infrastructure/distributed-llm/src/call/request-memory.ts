import { crc32 } from 'node:zlib';
import { RecentSet } from './recent-set.ts';

/** A fingerprint of a request, without a word of it; as short for a long request as for any. */
type Fingerprint = string;

/** What a request is told from others by. */
export interface RememberedRequest {
  readonly path: string;
  readonly body: Buffer | undefined;
}

/** The beginning and the end of a body tell requests apart well enough, and cost no time with images in between. */
const SAMPLE_BYTES = 64 * 1024;
const MOST_REQUESTS = 1_000;
const MOST_FAILURES = 100;
const KEPT_MS = 60_000;

/**
 * The requests that failed alike wherever they were tried, by a fingerprint without a word of theirs, and how they failed.
 * They are served as any other, but say nothing of hosts any more and never try one out. Memory is bounded: the latest
 * thousand requests and hundred failures, for a minute each.
 */
export class RequestMemory {
  readonly #requests = new RecentSet(MOST_REQUESTS, KEPT_MS);
  readonly #failures = new RecentSet(MOST_FAILURES, KEPT_MS);

  get size(): number {
    return this.#requests.size;
  }

  has(request: RememberedRequest): boolean {
    // Nothing to compare with, as nearly always: nothing is computed.
    return this.#requests.size > 0 && this.#requests.has(fingerprintOf(request));
  }

  /** Whether requests were to blame for such a failure lately, and none of them was answered by another host. */
  hasFailure(signature: string): boolean {
    return this.#failures.has(signature);
  }

  add(request: RememberedRequest, signature: string): void {
    this.#requests.add(fingerprintOf(request));
    this.#failures.add(signature);
  }

  /** The request was answered after all. */
  forget(request: RememberedRequest): void {
    this.#requests.delete(fingerprintOf(request));
  }

  /** Another host answered a request that failed in this way. */
  forgetFailure(signature: string): void {
    this.#failures.delete(signature);
  }

  /** The hosts are to blame, not the requests. */
  clear(): void {
    this.#requests.clear();
    this.#failures.clear();
  }
}

/** What is kept of a request. */
export function fingerprintOf({ path, body }: RememberedRequest): Fingerprint {
  const ofPath = `${path.length} ${crc32(path)}`;
  if (!body) return ofPath;
  const [head, tail] = [body.subarray(0, SAMPLE_BYTES), body.subarray(-SAMPLE_BYTES)];
  return `${ofPath} ${body.length} ${crc32(head)} ${crc32(tail)}`;
}
