import { AppError, type ErrorCode } from '@morgan/foundation';
import { type Fault, isTransient } from './fault.ts';
import { type HeadersLike, retryAfterMs } from './retry-after.ts';

/** The marks of an error that say something, all optional; whoever raises an error may set them. */
interface Marks {
  readonly name?: unknown;
  /** A word for the fault, such as the transport's `connect_refused`. */
  readonly reason?: unknown;
  /** Node's word for the fault, such as `ECONNRESET`. */
  readonly code?: unknown;
  readonly status?: unknown;
  readonly headers?: HeadersLike;
  readonly retryAfterMs?: unknown;
  /** Whether anything of the request left this process. It wins over what the reason implies. */
  readonly sent?: unknown;
  /** True on a fault of a connection: see {@link Fault}. */
  readonly stale?: unknown;
  readonly beforeResponse?: unknown;
  readonly cause?: unknown;
}

const FINAL: Fault = { kind: 'final' };
const NOT_CONNECTED: Fault = { kind: 'connection', sent: false };
const CONNECT_TIMEOUT: Fault = { kind: 'timeout', sent: false };
const BROKEN: Fault = { kind: 'connection', sent: true };
const TIMEOUT: Fault = { kind: 'timeout', sent: true };

const BY_WORD: Readonly<Record<string, Fault>> = {
  connect_refused: NOT_CONNECTED,
  connect_failed: NOT_CONNECTED,
  dns_failed: NOT_CONNECTED,
  connect_timeout: CONNECT_TIMEOUT,
  pool_timeout: CONNECT_TIMEOUT,
  // A certificate that is refused now is refused in a second, too.
  tls_failed: FINAL,
  aborted: FINAL,
  closed: FINAL,
  invalid_request: FINAL,
  too_large: FINAL,
  // The caller's own source of the body broke.
  upload_failed: FINAL,
  ECONNREFUSED: NOT_CONNECTED,
  ENOTFOUND: NOT_CONNECTED,
  EAI_AGAIN: NOT_CONNECTED,
  EHOSTUNREACH: NOT_CONNECTED,
  ENETUNREACH: NOT_CONNECTED,
  UND_ERR_CONNECT_TIMEOUT: CONNECT_TIMEOUT,
  ETIMEDOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  UND_ERR_SOCKET: BROKEN,
  TimeoutError: TIMEOUT,
  AbortError: FINAL,
};

/** Their kinds sound as if another time could be better. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set([
  'deadline_exceeded',
  'host_rejected_credentials',
] as const);

/** Errors wrap errors, but not endlessly. */
const MAX_CAUSES = 5;

/**
 * The classifier that a policy uses unless it is given another: knows `AppError`, errors that carry `reason` and
 * `beforeResponse` or a `status`, and Node's own, also as a `cause`. What it does not know is final.
 */
export function classifyFault(error: unknown): Fault {
  return classify(error, MAX_CAUSES) ?? FINAL;
}

function classify(error: unknown, depth: number): Fault | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined;
  const marks = error as Marks;
  const inner = classify(marks.cause, depth - 1);
  const fault = error instanceof AppError ? ofAppError(error, inner) : (ofMarks(marks) ?? inner);
  if (!fault || fault.kind === 'final') return fault;
  const sent = typeof marks.sent === 'boolean' ? marks.sent : fault.sent;
  if (fault.kind === 'connection' && marks.stale === true) return { ...fault, sent, stale: true };
  return { ...fault, sent };
}

function ofAppError({ kind, code, status, retryAfterMs }: AppError, inner: Fault | undefined): Fault {
  if (kind === 'cancelled' || kind === 'internal' || FINAL_CODES.has(code)) return FINAL;
  if (inner && !isTransient(inner)) return inner;
  const sent = inner?.sent ?? true;
  return kind === 'timeout' ? { kind, sent } : { kind: 'status', status, retryAfterMs, sent };
}

function ofMarks(marks: Marks): Fault | undefined {
  const { name, reason, code, status, headers, beforeResponse } = marks;
  if (typeof status === 'number' && status >= 400)
    return { kind: 'status', status, retryAfterMs: waitOf(marks.retryAfterMs, headers), sent: true };
  for (const word of [reason, code, name]) {
    const known = typeof word === 'string' && Object.hasOwn(BY_WORD, word) && BY_WORD[word];
    if (known) return known;
  }
  if (typeof reason !== 'string' || typeof beforeResponse !== 'boolean') return undefined;
  return reason.endsWith('_timeout') ? TIMEOUT : BROKEN;
}

function waitOf(ms: unknown, headers: HeadersLike | undefined): number | undefined {
  if (typeof ms === 'number') return ms;
  return headers && retryAfterMs(headers);
}
