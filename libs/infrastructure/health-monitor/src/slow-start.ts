/** The least share of its traffic that a returning host gets, so that there is something to warm up with. */
const SMALLEST_SHARE = 0.1;

/**
 * The share of its usual traffic that a host should get so long after its return: a tenth at first, then rising in
 * proportion to the time, 1 when `slowStartMs` are over. This is Envoy's slow start with its defaults (aggression 1,
 * minimum weight 10 %).
 */
export function slowStartShare(sinceReturnMs: number, slowStartMs: number): number {
  if (sinceReturnMs >= slowStartMs) return 1;
  return Math.max(SMALLEST_SHARE, sinceReturnMs / slowStartMs);
}
