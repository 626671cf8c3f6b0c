import { createHash, hash } from 'node:crypto';

/** Everything besides the input whose change changes the vector. */
export interface EmbeddingIdentity {
  /** Of the model: its files, backend, dtype, pooling, modules, normalisation. */
  readonly fingerprint: string;
  /** Put in front of the text; empty where there is none. */
  readonly prompt: string;
  /** Whether a text above the limit is cut. Without it a cut vector could answer a caller who wants none. */
  readonly truncate: boolean;
}

/** Counted up when the layout of keys or values changes, so that replicas of two versions never mix theirs. */
const VERSION = 4;

/**
 * Makes cache keys of inputs that share an identity: SHA-256 over the digest of the identity, each part of it with its length,
 * and the input with its kind, so that no two different inputs share a key. What all of them share is hashed once.
 * `dimensions` and encodings are not part of it: they are derived from the full vector.
 */
export function embeddingKeys({
  fingerprint,
  prompt,
  truncate,
}: EmbeddingIdentity): (input: string | readonly number[]) => string {
  const identity = createHash('sha256');
  for (const part of [fingerprint, prompt])
    identity.update(`${Buffer.byteLength(part, 'utf16le')}:`).update(part, 'utf16le');
  const shared = identity.update(truncate ? 'cut:' : 'whole:').digest('base64url');
  return (input) => {
    const text = shared + (typeof input === 'string' ? `text:${input}` : `ids:${input.join(',')}`);
    // As UTF-8 all lone surrogates would be the same replacement character; the tokenizer tells them apart.
    const hashed = text.isWellFormed() ? text : Buffer.from(text, 'utf16le');
    return `${VERSION}:${hash('sha256', hashed, 'base64url')}`;
  };
}
