import { createHash } from 'node:crypto';

/**
 * The cache key of an input: SHA-256 over the model's fingerprint (everything whose change changes vectors) and the
 * input. Each part carries its kind and length, so that no two different inputs share a key. `dimensions` and
 * `encoding_format` are not part of it: they are applied to the full vector when it is read.
 */
export function embeddingKey(fingerprint: string, input: string | readonly number[]): string {
  const hash = createHash('sha256');
  hash.update(`${Buffer.byteLength(fingerprint)}:`).update(fingerprint);
  // As UTF-8 all lone surrogates would be the same replacement character; the tokenizer tells them apart.
  if (typeof input === 'string') hash.update('text:').update(input, 'utf16le');
  else hash.update('ids:').update(input.join(','));
  return `morgan:embedding:1:${hash.digest('base64url')}`;
}
