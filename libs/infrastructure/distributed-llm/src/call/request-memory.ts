import { crc32 } from 'node:zlib';

/** A fingerprint of a request, without a word of it; as short for a long request as for any. */
export type Fingerprint = string;

/** The beginning and the end of a body tell requests apart well enough, and cost no time with images in between. */
const SAMPLE_BYTES = 64 * 1024;
const MOST_ENTRIES = 1_000;
const KEPT_MS = 60_000;

/**
 * The requests that failed alike wherever they were tried. They are served as any other, but say nothing of hosts any more
 * and never try one out. Memory is bounded: the latest thousand, for a minute each.
 */
export class RequestMemory {
  readonly #until = new Map<Fingerprint, number>();

  get size(): number {
    return this.#until.size;
  }

  has(request: { readonly path: string; readonly body: Buffer | undefined }): boolean {
    // Nothing to compare with, as nearly always: nothing is computed.
    if (this.#until.size === 0) return false;
    const until = this.#until.get(fingerprintOf(request));
    return until !== undefined && until > performance.now();
  }

  add(request: { readonly path: string; readonly body: Buffer | undefined }): void {
    const key = fingerprintOf(request);
    this.#until.delete(key);
    this.#until.set(key, performance.now() + KEPT_MS);
    if (this.#until.size > MOST_ENTRIES) this.#until.delete(this.#until.keys().next().value as Fingerprint);
  }

  /** It was answered after all. */
  forget(request: { readonly path: string; readonly body: Buffer | undefined }): void {
    this.#until.delete(fingerprintOf(request));
  }
}

/** What is kept of a request. */
export function fingerprintOf({
  path,
  body,
}: {
  readonly path: string;
  readonly body: Buffer | undefined;
}): Fingerprint {
  const ofPath = `${path.length} ${crc32(path)}`;
  if (!body) return ofPath;
  const [head, tail] = [body.subarray(0, SAMPLE_BYTES), body.subarray(-SAMPLE_BYTES)];
  return `${ofPath} ${body.length} ${crc32(head)} ${crc32(tail)}`;
}
