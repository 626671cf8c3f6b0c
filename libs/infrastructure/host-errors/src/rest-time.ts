import type { IncomingHttpHeaders } from 'node:http';
import { retryAfterMs, timeThere } from '@morgan/foundation';
import { durationMs, PARTS } from './duration.ts';

const IN_TEXT = new RegExp(
  String.raw`(?:(?:try|retry)(?: your request)?(?: again)? (?:in|after)|please wait(?: for)?|resets? (?:in|after)|available (?:again )?in) (?:about )?(${PARTS})`,
  'i',
);
/** A moment in a message counts where it says in which zone it is. */
const MOMENT_IN_TEXT =
  /(?:resets?|try again|retry) at:? (\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(?:UTC|Z|GMT|\+00:00)/i;
/** What a number of seconds is no longer, but a moment since 1970. */
const EARLIEST_EPOCH_S = 1_000_000_000;
/** The names of resets, each of which stands beside a `remaining`. */
const RESETS = [/^(?:x-)?rate-?limit(?:bysize)?-reset(-.*)?$/, /^anthropic-ratelimit-(.*)-reset$/];
/** What is used up and when it is reset, in the drafts of a standard: `remaining=0, reset=5` and `"default";r=0;t=5`. */
const DRAFT = /(?:\bremaining=|;\s*r=)0\b.{0,200}?(?:\breset=|;\s*t=)(\d+)/;

/**
 * How long a host asks to be passed over, in milliseconds: `retry-after-ms`, `retry-after` (seconds, a date or, though no
 * standard has it, `30s` or a moment), else the reset of those rate limits of which nothing remains, else what its message
 * says. "At once" counts only where nothing else is said.
 * @param isLimit whether the status can be that of a limit: beside others a reset without a count of what remains is what
 * the host says in every response.
 */
export function restTimeMs(headers: IncomingHttpHeaders, message = '', isLimit = true): number | undefined {
  let atOnce: number | undefined;
  const now = timeThere(headers);
  for (const said of [
    () => askedMs(headers, now),
    () => resetMs(headers, isLimit, now),
    () => inText(message, now),
  ]) {
    const ms = said();
    if (ms !== undefined && ms > 0) return ms;
    atOnce ??= ms;
  }
  return atOnce;
}

/** Of a header that several proxies have added the longest time counts. */
function askedMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  const exact = retryAfterMs({ 'retry-after-ms': headers['retry-after-ms'] });
  if (exact) return exact;
  const values = [headers['retry-after'] ?? []].flat().flatMap(numbersApart);
  const { date } = headers;
  return longestOf(values.map((value) => timeOf(value, now) ?? retryAfterMs({ 'retry-after': value, date })));
}

function numbersApart(value: string): string[] {
  return /^[\d., ]+$/.test(value) ? value.split(',') : [value];
}

/** Whether the headers name such a time. A successful response has the resets as well: only to be asked of refusals. */
function resetMs(headers: IncomingHttpHeaders, isLimit: boolean, now: number): number | undefined {
  const found = Object.entries(headers).map(([name, value]) => {
    if (typeof value !== 'string') return undefined;
    const draft = /^(?:x-)?ratelimit$/.test(name) ? DRAFT.exec(value)?.[1] : undefined;
    if (draft !== undefined) return Number(draft) * 1_000;
    return RESETS.some((kind) => kind.test(name)) && isUsedUp(headers, name, isLimit)
      ? timeOf(value, now)
      : undefined;
  });
  return longestOf(found);
}

function longestOf(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function isUsedUp(headers: IncomingHttpHeaders, resetName: string, isLimit: boolean): boolean {
  // Of each limit of a subscription Anthropic says that, and not what remains of it.
  if (/^allowed/.test(String(headers[resetName.replace(/reset$/, 'status')]))) return false;
  const remaining = headers[resetName.replace(/reset(-after)?/, 'remaining')];
  return remaining === undefined ? isLimit : Number(remaining) <= 0;
}

function timeOf(text: string, now: number): number | undefined {
  const value = text.trim();
  const number = value === '' ? NaN : Number(value);
  if (Number.isFinite(number)) return number < 0 ? undefined : ofNumber(number, now);
  return durationMs(value) ?? (/^\d{4}-\d\d-\d\dT/.test(value) ? untilMs(value, now) : undefined);
}

function untilMs(date: string, now: number): number | undefined {
  const at = Date.parse(date);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Seconds, or a moment in seconds or milliseconds since 1970. */
function ofNumber(number: number, now: number): number {
  if (number < EARLIEST_EPOCH_S) return Math.ceil(number * 1_000);
  const at = number < EARLIEST_EPOCH_S * 1_000 ? number * 1_000 : number;
  return Math.max(0, Math.ceil(at - now));
}

function inText(message: string, now: number): number | undefined {
  const duration = IN_TEXT.exec(message)?.[1];
  if (duration !== undefined) return durationMs(duration);
  const moment = MOMENT_IN_TEXT.exec(message)?.[1];
  return moment === undefined ? undefined : untilMs(`${moment.replace(' ', 'T')}Z`, now);
}
