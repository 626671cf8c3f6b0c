import type { Reply } from './replies.ts';

/** Something that a host does to a call, and what a caller may see of it. */
export interface Fault {
  readonly name: string;
  readonly reply: Reply;
  /** What the caller gets where there is no other host; no status: a good response all the same. */
  readonly alone: {
    readonly status?: number;
    readonly says?: RegExp;
    readonly retryAfterS?: readonly [number, number];
  };
  /** Attempts that a call may cost at this host where it is alone; 1 by default. */
  readonly repeats?: number;
  /** It is the request's doing: the caller reads it although another host is there. */
  readonly isRequests?: boolean;
  /** How long the host asks not to be asked, in milliseconds. */
  readonly saidMs?: number;
  /** Only streamed (or only whole) answers have it. */
  readonly isStream?: boolean;
  /** How long it takes to be found out, in milliseconds. */
  readonly slowMs?: number;
}
