import { AppError } from '../errors/app-error.ts';
import type { Fault } from './fault.ts';
import {
  FAULT_OF_CODE,
  FAULT_OF_KIND,
  FAULT_OF_WORD,
  faultOfStatus,
  type FaultWord,
  UNKNOWN_FAULT,
} from './fault-table.ts';
import { type HeadersLike, retryAfterMs } from './retry-after.ts';

/** The marks of an error that say something, all optional; whoever raises an error may set them. */
interface Marks {
  readonly name?: unknown;
  /** A word for the fault, such as the transport's `connect_refused`. */
  readonly reason?: unknown;
  /** Node's word for the fault, such as `ECONNRESET`. */
  readonly code?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly response?: unknown;
  readonly headers?: HeadersLike;
  readonly retryAfterMs?: unknown;
  /** Whether anything of the request left this process. It wins over what the word implies. */
  readonly sent?: unknown;
  /** True on a fault of a connection: see {@link Fault}. */
  readonly stale?: unknown;
  readonly cause?: unknown;
}

/** Errors wrap errors, but not endlessly. */
const MAX_CAUSES = 5;

/**
 * What an error is, by the one table of faults: knows `AppError`, errors that carry a transport's `reason` or a
 * `status`, and Node's own, also as a `cause`.
 */
export function classifyFault(error: unknown): Fault {
  return classify(error, MAX_CAUSES) ?? UNKNOWN_FAULT;
}

/** The HTTP status that a result or an error carries: `status`, `statusCode` or `response.status`. */
export function statusOf(value: unknown): number | undefined {
  if (!isObject(value)) return undefined;
  const { status, statusCode, response } = value as Marks;
  const found = status ?? statusCode ?? (isObject(response) ? (response as Marks).status : undefined);
  return typeof found === 'number' ? found : undefined;
}

function classify(error: unknown, depth: number): Fault | undefined {
  if (!isObject(error) || depth === 0) return undefined;
  const marks = error as Marks;
  const inner = classify(marks.cause, depth - 1);
  return error instanceof AppError ? ofAppError(error, inner) : (ofMarks(marks) ?? inner);
}

/** The cause knows what the host had to do with it; the error that wraps it, what can be done about it. */
function ofAppError({ kind, code, retryAfterMs: waitMs }: AppError, inner: Fault | undefined): Fault {
  const own = FAULT_OF_CODE[code] ?? FAULT_OF_KIND[kind];
  const fault: Fault = waitMs === undefined ? own : { ...own, retryAfterMs: waitMs };
  if (!inner) return fault;
  const { sent, verdict, overloaded } = inner;
  const retryable = own.retryable && inner.retryable;
  return { ...fault, retryable, sent, verdict, overloaded: overloaded || own.overloaded };
}

function ofMarks(marks: Marks): Fault | undefined {
  const status = statusOf(marks);
  if (status !== undefined && status >= 400)
    return { ...faultOfStatus(status), status, retryAfterMs: waitOf(marks.retryAfterMs, marks.headers) };
  const word = [marks.reason, marks.code, marks.name].find(isWord);
  if (!word) return status === undefined ? undefined : { ...faultOfStatus(status), status };
  const fault: Fault = FAULT_OF_WORD[word];
  const sent = typeof marks.sent === 'boolean' ? marks.sent : fault.sent;
  // A connection that ended while it was idle says nothing about the host.
  if (fault.category === 'connection' && marks.stale === true)
    return { ...fault, sent, stale: true, verdict: 'ignored' };
  return sent === fault.sent ? fault : { ...fault, sent };
}

function isWord(word: unknown): word is FaultWord {
  return typeof word === 'string' && Object.hasOwn(FAULT_OF_WORD, word);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function waitOf(ms: unknown, headers: HeadersLike | undefined): number | undefined {
  if (typeof ms === 'number') return ms;
  return headers && retryAfterMs(headers);
}
