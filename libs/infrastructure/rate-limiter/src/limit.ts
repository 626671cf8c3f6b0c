/** `token-bucket` lets a burst through and then a steady rate; `sliding-window` never more than the limit in any window. */
export type Algorithm = 'token-bucket' | 'sliding-window';

/** How much may pass. Units are whatever costs are counted in: requests, tokens. */
export interface Limit {
  readonly algorithm: Algorithm;
  /** Units per window. */
  readonly limit: number;
  readonly windowMs: number;
  /** What a full token bucket holds, in units. A sliding window has no use for it. */
  readonly burst: number;
}

/** Whether units or times can be counted with it: what is no number once would stay none for ever. */
export function isAmount(value: number): boolean {
  return value >= 0 && value < Infinity;
}

/** The most that one call may cost: more would never fit. */
export function capacityOf({ algorithm, burst, limit }: Limit): number {
  return algorithm === 'token-bucket' ? burst : limit;
}

/**
 * What one of several replicas may let through when they cannot agree. The rate is divided exactly; a part below one
 * unit becomes one unit in a window as much longer, so that a small limit still lets single calls through.
 */
export function shareOf(limit: Limit, replicas: number): Limit {
  const units = limit.limit / replicas;
  const part = Math.max(1, units);
  const windowMs = limit.windowMs * (part / units);
  return { ...limit, limit: part, windowMs, burst: Math.max(1, limit.burst / replicas) };
}
