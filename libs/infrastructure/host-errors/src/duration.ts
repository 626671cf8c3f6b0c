const UNIT = 'milliseconds?|seconds?|minutes?|hours?|days?|secs?|mins?|hrs?|ms|s|m|h|d';
/** A number and its unit, of which several make a duration: `6m0s`, `1h2m`, `2 minutes and 3 seconds`. */
const PART = new RegExp(String.raw`(\d+(?:\.\d+)?) ?(${UNIT})`, 'gi');
/** One or several of them in a text. */
export const PARTS = String.raw`(?:\d+(?:\.\d+)? ?(?:${UNIT})(?![a-z]),? ?(?:and )?)+`;
const DURATION = new RegExp(`^${PARTS}$`, 'i');
const FACTORS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|milli)/i, 1],
  [/^s/i, 1_000],
  [/^m/i, 60_000],
  [/^h/i, 3_600_000],
  [/^d/i, 86_400_000],
];

/** What such a text says, in milliseconds. */
export function durationMs(value: string): number | undefined {
  if (!DURATION.test(value)) return undefined;
  let ms = 0;
  for (const [, amount, unit = ''] of value.matchAll(PART)) {
    const [, factor = NaN] = FACTORS.find(([pattern]) => pattern.test(unit)) ?? [];
    ms += Number(amount) * factor;
  }
  return Math.ceil(ms);
}
