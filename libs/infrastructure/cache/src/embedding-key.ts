import { createHash } from 'node:crypto';

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
const VERSION = 2;

/**
 * Makes cache keys of inputs that share an identity: SHA-256 over identity and input, each part with its kind and length, so
 * that no two different inputs share a key. What all of them share is hashed once. `dimensions` and encodings are not part of
 * it: they are derived from the full vector.
 */
export function embeddingKeys({
  fingerprint,
  prompt,
  truncate,
}: EmbeddingIdentity): (input: string | readonly number[]) => string {
  const shared = createHash('sha256');
  for (const part of [fingerprint, prompt])
    shared.update(`${Buffer.byteLength(part, 'utf16le')}:`).update(part, 'utf16le');
  shared.update(truncate ? 'cut:' : 'whole:');
  return (input) => {
    const hash = shared.copy();
    // As UTF-8 all lone surrogates would be the same replacement character; the tokenizer tells them apart.
    if (typeof input === 'string') hash.update('text:').update(input, 'utf16le');
    else hash.update('ids:').update(input.join(','));
    return `${VERSION}:${hash.digest('base64url')}`;
  };
}
