import { isGood, type Seen } from './caller.ts';

/** What a call may come to. */
export interface Expected {
  /** None: a good response. */
  readonly status?: number | undefined;
  /** What its text says. */
  readonly says?: RegExp | undefined;
  /** The least and the most of `retry-after`, in seconds; none: it does not matter. */
  readonly retryAfterS?: readonly [number, number] | undefined;
  readonly withinMs: number;
  /** How many attempts it may cost, over all hosts. */
  readonly attempts: number;
}

/** What is wrong with what a caller saw; nothing where all is well. */
export function missesOf(seen: Seen, attempts: number, expected: Expected): string[] {
  const { caller, status, end, tookMs } = seen;
  const misses: string[] = [];
  const miss = (what: string) => misses.push(`${caller}: ${what}`);
  if (end === 'hung') miss('hung');
  if (tookMs > expected.withinMs) miss(`${Math.round(tookMs)} ms, above ${expected.withinMs}`);
  if (attempts > expected.attempts) miss(`${attempts} attempts, above ${expected.attempts}`);
  if (expected.status === undefined) {
    if (!isGood(seen)) miss(`${status} ${end}, not a good answer: ${short(seen.text)}`);
  } else misses.push(...missesOfRefusal(seen, expected));
  return misses;
}

function missesOfRefusal({ caller, status, text, retryAfterS, end }: Seen, expected: Expected): string[] {
  const misses: string[] = [];
  const miss = (what: string) => misses.push(`${caller}: ${what}`);
  if (status !== expected.status || end !== 'clean')
    miss(`${status} ${end}, not ${expected.status}: ${short(text)}`);
  else if (expected.says && !expected.says.test(text)) miss(`does not say ${expected.says}: ${short(text)}`);
  const [least, most] = expected.retryAfterS ?? [];
  if (
    least !== undefined &&
    most !== undefined &&
    !(retryAfterS !== undefined && retryAfterS >= least && retryAfterS <= most)
  )
    miss(`retry-after ${retryAfterS ?? 'none'}, not ${least} to ${most}`);
  return misses;
}

/** How one case came out. */
export interface Result {
  readonly name: string;
  readonly group: string;
  /** What was done to the hosts. */
  readonly trouble: string;
  /** What the callers saw, in short. */
  readonly callers: string;
  /** What the hosts saw, in short, with times. */
  readonly hosts: string;
  /** What was promised, in short. */
  readonly bound: string;
  /** When the first host was in use again, in milliseconds after it was well; none where it never was. */
  readonly backMs: number | undefined;
  /** How long the machine stood still meanwhile, in milliseconds. */
  readonly stalledMs: number;
  /** Empty: the case holds. */
  readonly misses: readonly string[];
}

const MOST_LETTERS = 110;

function short(words: string): string {
  return words.length > MOST_LETTERS ? `${words.slice(0, MOST_LETTERS)}...` : words;
}
