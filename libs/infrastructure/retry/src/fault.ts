/**
 * What a policy knows about a fault, whoever raised it. `sent` is false only where it is certain that nothing of the
 * request left this process; then repeating is safe whatever the request does.
 */
export type Fault =
  /** The other side answered with an HTTP status. `retryAfterMs` is how long it asks to be left alone. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfterMs?: number | undefined;
      readonly sent: boolean;
    }
  | { readonly kind: 'timeout'; readonly sent: boolean }
  /**
   * Refused, reset, broken off, not HTTP. `stale`: a kept connection turned out to be closed before one byte of the
   * answer came, which says nothing about the host, and a new connection has every chance.
   */
  | { readonly kind: 'connection'; readonly sent: boolean; readonly stale?: boolean | undefined }
  /** Repeating cannot help: the caller's abort, a request that cannot be sent, a fault of this process. */
  | { readonly kind: 'final' };

/** Turns whatever an attempt threw into a {@link Fault}. Must not throw. */
export type FaultClassifier = (error: unknown) => Fault;

/** 408 Request Timeout, 425 Too Early, 429 Too Many Requests: the client errors that time can heal. */
const TRANSIENT_4XX: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether the same request could go better another time. */
export function isTransient(fault: Fault): fault is Exclude<Fault, { kind: 'final' }> {
  if (fault.kind !== 'status') return fault.kind !== 'final';
  return fault.status >= 500 || TRANSIENT_4XX.has(fault.status);
}
