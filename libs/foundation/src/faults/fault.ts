/** What went wrong, sorted by what can be done about it. A closed set: it is a metric label. */
export const FAULT_CATEGORIES = [
  /** The other side answered 4xx, other than those below: this request is wrong. */
  'client_error',
  /** The other side answered 5xx or 425. */
  'server_error',
  /** The other side answered 429, or a rate limit of this process is reached. */
  'rate_limited',
  /** A time limit was over, or the other side answered 408. */
  'timeout',
  /** No connection, or one that broke. */
  'connection',
  /** A response came, and it is not HTTP, not what was asked for, or too large. */
  'protocol',
  /** This process did not send it: the circuit is open, or too many calls are running. */
  'refused',
  /** The request can never be sent as it is. */
  'invalid_request',
  /** The caller cancelled it. */
  'cancelled',
  /** What should have sent it was stopped. */
  'closed',
  /** Nothing that is known here, such as a defect of this process. */
  'unknown',
] as const;

/** One of them. */
export type FaultCategory = (typeof FAULT_CATEGORIES)[number];

/** What the end of a call says about its host: `ignored` where the host had no part in it. */
export type Verdict = 'success' | 'failure' | 'ignored';

/** What is known of every fault of a kind. */
export interface FaultTraits {
  readonly category: FaultCategory;
  /** Whether the same request could go better another time. */
  readonly retryable: boolean;
  /** False only where nothing of the request left this process; then repeating is safe whatever the request does. */
  readonly sent: boolean;
  readonly verdict: Verdict;
  /** Whether it is a sign of too much load, such as 429, 503 and timeouts. */
  readonly overloaded: boolean;
}

/** One fault, whoever raised it. */
export interface Fault extends FaultTraits {
  /** Where the other side answered. */
  readonly status?: number | undefined;
  /** How long the other side asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** A kept connection turned out to be closed before one byte of the response came: a new one has every chance. */
  readonly stale?: boolean | undefined;
}

/** Turns whatever an attempt threw into a {@link Fault}. Must not throw. */
export type FaultClassifier = (error: unknown) => Fault;
