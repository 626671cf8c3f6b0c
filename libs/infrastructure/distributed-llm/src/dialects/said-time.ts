type Fields = Readonly<Record<string, unknown>>;

const SECONDS = [
  'retry_after',
  'retryAfter',
  'retry_after_seconds',
  'retryDelay',
  'estimated_time',
  'resets_in_seconds',
  'reset_in_seconds',
];
const MILLISECONDS = ['retry_after_ms', 'retryAfterMs'];
/** Seconds since 1970. */
const MOMENTS = ['resets_at', 'reset_at'];
/** A number, or a duration as Google writes it. */
const NUMBER = /^(\d+(?:\.\d+)?)s?$/;

/** When an error says to come back, in milliseconds; the first of these objects that says so counts. */
export function saidTimeMs(objects: readonly Fields[]): number | undefined {
  for (const fields of objects) {
    const [ms] = [
      ...SECONDS.map((name) => numberOf(fields[name]) * 1_000),
      ...MILLISECONDS.map((name) => numberOf(fields[name])),
      ...MOMENTS.map((name) => numberOf(fields[name]) * 1_000 - Date.now()),
    ].filter((each) => each > 0);
    if (ms !== undefined) return Math.ceil(ms);
  }
  return undefined;
}

function numberOf(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number'
    ? Number(NUMBER.exec(String(value))?.[1])
    : NaN;
}
