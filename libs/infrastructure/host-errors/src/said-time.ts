import { durationMs } from './duration.ts';

type Fields = Readonly<Record<string, unknown>>;

const SECONDS = [
  'retry_after',
  'retryAfter',
  'retry_after_seconds',
  'retryAfterSeconds',
  'retryDelay',
  'quotaResetDelay',
  'estimated_time',
  'resets_in_seconds',
  'reset_in_seconds',
];
const MILLISECONDS = ['retry_after_ms', 'retryAfterMs'];
/** Seconds since 1970, or milliseconds, or a date with its zone. */
const MOMENTS = ['resets_at', 'reset_at'];
/** What seconds since 1970 are not for the next thousands of years. */
const LEAST_MILLISECONDS = 100_000_000_000;
/** Nobody says one in more characters. */
const LONGEST_DURATION = 64;
const NUMBER = /^\d+(?:\.\d+)?$/;
const DATE = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)$/;

/** When to come back: after so long, or at a moment on the clock of who says it, both in milliseconds. */
export interface SaidTime {
  readonly retryAfterMs?: number;
  readonly resetsAtMs?: number;
}

/** When an error says to come back; the first of these objects that says so counts. */
export function saidTime(objects: readonly Fields[]): SaidTime {
  for (const fields of objects) {
    const [ms] = [
      ...SECONDS.map((name) => msOf(fields[name])),
      ...MILLISECONDS.map((name) => numberOf(fields[name])),
    ].filter((each) => each > 0);
    if (ms !== undefined) return { retryAfterMs: Math.ceil(ms) };
    const moment = MOMENTS.map((name) => momentOf(fields[name])).find((each) => each > 0);
    if (moment !== undefined) return { resetsAtMs: moment < LEAST_MILLISECONDS ? moment * 1_000 : moment };
  }
  return {};
}

function momentOf(value: unknown): number {
  return typeof value === 'string' && DATE.test(value) ? Date.parse(value) : numberOf(value);
}

/** Of seconds, or of a duration. */
function msOf(value: unknown): number {
  const text = typeof value === 'string' ? value.slice(0, LONGEST_DURATION) : '';
  return durationMs(text) ?? numberOf(value) * 1_000;
}

function numberOf(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number'
    ? Number(NUMBER.exec(String(value))?.[0])
    : NaN;
}
