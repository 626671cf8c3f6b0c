/** As much of what a host says is looked into. */
const MOST_READ = 16_384;
/** OpenAI, Azure, Google, GitHub: `Please try again in 6m0s.`, `Please retry after 6 seconds.`, `Please retry in 34.07s.`, `Please wait 55 seconds` */
const IN_WORDS =
  /\b(?:(?:try again|retry)\s+(?:in|after)|please wait|available in)\s+((?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|seconds?|m|minutes?|h|hours?)\b\s*|\d+(?:\.\d+)?[hm](?=\d)){1,4})/i;
const PART = /(\d+(?:\.\d+)?)\s*(m(?:illi)?s|[hms])/gi;
const UNITS: Readonly<Record<string, number>> = { ms: 1, millis: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** A duration as Google writes it. */
const SECONDS = /^(\d+(?:\.\d+)?)s$/;

/**
 * How long a host says, in the body of its answer, that one is to wait, in milliseconds: not all send `retry-after`.
 * @param error its fields
 */
export function saidWaitMs({
  details,
  message,
  detail,
  estimated_time: estimated,
}: Readonly<Record<string, unknown>>): number | undefined {
  // Hugging Face, of a model that is loading.
  if (typeof estimated === 'number' && estimated > 0) return Math.ceil(estimated * 1_000);
  for (const each of Array.isArray(details) ? (details as unknown[]) : []) {
    const { retryDelay } = (each ?? {}) as { readonly retryDelay?: unknown };
    const [, seconds] = typeof retryDelay === 'string' ? (SECONDS.exec(retryDelay) ?? []) : [];
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1_000);
  }
  const words = [message, detail].find((each) => typeof each === 'string') ?? '';
  const [, time] = IN_WORDS.exec(words.slice(0, MOST_READ)) ?? [];
  if (time === undefined) return undefined;
  const parts = Array.from(time.matchAll(PART), ([, count, unit = '']) => {
    return Number(count) * (UNITS[unit.toLowerCase()] ?? 0);
  });
  return Math.ceil(parts.reduce((sum, part) => sum + part, 0));
}
