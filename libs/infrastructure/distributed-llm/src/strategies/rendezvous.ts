import type { Candidate } from './strategy.ts';

/** FNV-1a over the text's code units, 32 bits. Not for secrets. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar; weights by Schindelhauer and Schomaker): `-weight / ln(u)` with `u`
 * hashed from key and name. The candidate with the highest score has the key, each for its exact share of the keys. A
 * consistent-hash ring without virtual nodes: no state, any weight, the same little movement when a candidate comes or goes.
 */
export function rendezvousScore(key: number, { name, weight }: Candidate): number {
  const uniform = (mixed(key ^ mixed(textHash(name))) + 0.5) / 2 ** 32;
  return -weight / Math.log(uniform);
}

/** MurmurHash3's finaliser: every bit of the number changes half of the bits of the result. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
