import { randomUUID } from 'node:crypto';
import type { Deadline } from './deadline.ts';

/** What travels with one call from the HTTP edge down to the socket. */
export interface CallContext {
  /** The `x-request-id` of the call: the caller's, or a new one. */
  readonly id: string;
  /** Aborted when the caller goes away; whoever works for the call stops then. */
  readonly signal: AbortSignal;
  /** Whose call it is, where callers are told apart. Never a key. */
  readonly caller?: string | undefined;
  /** Which services have sent it on so far, as `x-morgan-via` says. */
  readonly via?: string | undefined;
  /** By when the call must be over. None: as long as it takes. */
  readonly deadline?: Deadline | undefined;
  /** Whether `signal` aborts when the deadline passes, so that nobody else needs a clock for it. Default: it does not. */
  readonly keepsDeadline?: boolean | undefined;
}

/** The context of a call that begins here: with an id of its own, and a signal that never aborts, where none are given. */
export function newCall(
  parts: { readonly [Field in keyof CallContext]?: CallContext[Field] | undefined } = {},
): CallContext {
  return { ...parts, id: parts.id ?? randomUUID(), signal: parts.signal ?? new AbortController().signal };
}

/** The same call with other fields. A context may be an object with accessors, which a spread alone would lose. */
export function contextWith<Context extends CallContext, Changes extends object>(
  context: Context,
  changes: Changes,
): Context & Changes {
  const { id, signal, caller, deadline } = context;
  return Object.assign({ ...context, id, signal, caller, deadline }, changes);
}
