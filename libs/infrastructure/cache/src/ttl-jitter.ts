/** The most that jitter takes off. */
const JITTER = 0.1;

/** A time to live shortened by up to a tenth at random: what was stored together does not expire together. 0 stays 0. */
export function jittered(ttl: number): number {
  return ttl * (1 - JITTER * Math.random());
}
