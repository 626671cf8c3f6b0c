/** Times to the first token that differ by less say nothing: a new connection or a collection takes as long. In milliseconds. */
export const TTFT_NOISE_MS = 50;
/** A difference of less than this share of the longer time says nothing either. */
const NOISE_SHARE = 0.2;

/** Whether two times to the first token, in milliseconds, are as good as equal. */
export function areAlike(one: number, other: number): boolean {
  return Math.abs(one - other) <= Math.max(TTFT_NOISE_MS, NOISE_SHARE * Math.max(one, other));
}
