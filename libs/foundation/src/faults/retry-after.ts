/** Headers as Node, undici or fetch give them. Names of a plain object are in lower case. */
export type HeadersLike =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

const NUMBER = /^\d+(\.\d+)?$/;
/** RFC 9110 knows three forms of a date; all begin with the name of a day. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*[, ]/;

/**
 * How long a response asks to wait, in milliseconds: `retry-after-ms`, else `retry-after` in seconds or as an
 * HTTP date. 0 for a date that has passed; none where there is no such header or it makes no sense.
 */
export function retryAfterMs(headers: HeadersLike): number | undefined {
  const milliseconds = read(headers, 'retry-after-ms');
  if (NUMBER.test(milliseconds)) return bounded(Number(milliseconds));
  const value = read(headers, 'retry-after');
  if (NUMBER.test(value)) return bounded(Number(value) * 1000);
  if (!HTTP_DATE.test(value)) return undefined;
  // The oldest of the three forms names no zone, and would be read as local time.
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(at) ? undefined : bounded(at - timeThere(headers));
}

/** Its `Date` is rounded to the second, and takes a while to come. */
const LEAST_SKEW_MS = 2_000;

/** The current time by the clock of a host, by which it names times of day: that of its `Date` header, else our own. */
export function timeThere(headers: HeadersLike): number {
  const [here, there] = [Date.now(), Date.parse(read(headers, 'date'))];
  return Math.abs(there - here) > LEAST_SKEW_MS ? there : here;
}

function read(headers: HeadersLike, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as NamedValues)[name];
  return typeof value === 'string' ? value.trim() : '';
}

type NamedValues = Readonly<Record<string, string | readonly string[] | undefined>>;

const bounded = (ms: number): number => Math.min(Math.max(0, Math.ceil(ms)), Number.MAX_SAFE_INTEGER);
