import type { HttpReply } from '@morgan/http-server';

/** What a limit of callers counts: the last word of OpenAI's names for the headers. */
type LimitUnit = 'requests' | 'tokens';

const MINUTE_MS = 60_000;
/** Fractions of a unit add up to rounding errors. */
const ROUNDING = 1e-6;

/**
 * Tells a caller how much of its limit is left, in the headers that OpenAI has for it. A host's own of the same names are left
 * out then: they are about the gateway's key there, which all callers share.
 * @param limit units a minute
 * @param utilisation used part of it
 */
export function tellLimit(reply: HttpReply, unit: LimitUnit, limit: number, utilisation: number): void {
  const left = Math.max(0, Math.floor(limit * (1 - utilisation) + ROUNDING));
  reply.header(`x-ratelimit-limit-${unit}`, String(limit));
  reply.header(`x-ratelimit-remaining-${unit}`, String(left));
  reply.header(`x-ratelimit-reset-${unit}`, durationOf(Math.ceil(Math.max(0, utilisation) * MINUTE_MS)));
}

/** As OpenAI writes times: `120ms`, `8.64s`, `1m30s`. */
function durationOf(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${ms}ms`;
  const minutes = Math.floor(ms / MINUTE_MS);
  const seconds = `${(ms - minutes * MINUTE_MS) / 1_000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
