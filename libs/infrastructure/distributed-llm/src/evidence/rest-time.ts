import type { IncomingHttpHeaders } from 'node:http';
import { retryAfterMs } from '@morgan/foundation';

/** `1s`, `6m0s`, `20ms`, `1h2m`, and a bare number of seconds. */
const DURATION =
  /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
const IN_TEXT =
  /(?:(?:try|retry) (?:again )?(?:in|after)|please wait(?: for)?) (?:about )?((?:\d+(?:\.\d+)?(?:h|ms?|s))+|(\d+(?:\.\d+)?) (milliseconds?|seconds?|minutes?|hours?|ms|s|m|h))\b/i;
const FACTORS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|milli)/i, 1],
  [/^s/i, 1_000],
  [/^m/i, 60_000],
  [/^h/i, 3_600_000],
];
/** What a number of seconds is no longer, but a moment since 1970. */
const EARLIEST_EPOCH_S = 1_000_000_000;

/**
 * How long a host asks to be passed over, in milliseconds: `retry-after-ms`, `retry-after` (seconds, a date or, though no
 * standard has it, `30s`), else the reset of those rate limits of which nothing remains, else what its message says.
 */
export function restTimeMs(headers: IncomingHttpHeaders, message = ''): number | undefined {
  return (
    retryAfterMs(headers) ?? durationOf(textOf(headers['retry-after'])) ?? resetMs(headers) ?? inText(message)
  );
}

/** Whether the headers name such a time. A successful response has the resets as well: only to be asked of refusals. */
function resetMs(headers: IncomingHttpHeaders): number | undefined {
  let longest: number | undefined;
  for (const name in headers) {
    const kind = /^(?:x-)?ratelimit-reset(-.*)?$/.exec(name) ?? /^anthropic-ratelimit-(.*)-reset$/.exec(name);
    const value = headers[name];
    if (!kind || typeof value !== 'string' || !isUsedUp(headers, name)) continue;
    const ms = timeOf(value.trim());
    if (ms !== undefined) longest = Math.max(longest ?? 0, ms);
  }
  return longest;
}

function isUsedUp(headers: IncomingHttpHeaders, resetName: string): boolean {
  const remaining = headers[resetName.replace('reset', 'remaining')];
  return remaining === undefined || Number(remaining) <= 0;
}

function timeOf(value: string): number | undefined {
  if (value === '') return undefined;
  const number = Number(value);
  if (Number.isFinite(number)) return ofNumber(number);
  const duration = durationOf(value);
  if (duration !== undefined) return duration;
  const at = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function durationOf(value: string): number | undefined {
  const parts = value === '' ? undefined : DURATION.exec(value);
  if (!parts) return undefined;
  const [hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  return Math.ceil(((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds);
}

/** Seconds, or a moment in seconds or milliseconds since 1970. */
function ofNumber(number: number): number {
  if (number < EARLIEST_EPOCH_S) return Math.max(0, Math.ceil(number * 1_000));
  const at = number < EARLIEST_EPOCH_S * 1_000 ? number * 1_000 : number;
  return Math.max(0, Math.ceil(at - Date.now()));
}

function inText(message: string): number | undefined {
  const [, whole = '', amount, unit = ''] = IN_TEXT.exec(message) ?? [];
  if (amount === undefined) return durationOf(whole);
  const [, factor = NaN] = FACTORS.find(([pattern]) => pattern.test(unit)) ?? [];
  return Math.ceil(Number(amount) * factor);
}

function textOf(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value.trim() : '';
}
