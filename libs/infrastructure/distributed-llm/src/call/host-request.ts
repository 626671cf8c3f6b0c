import type { IncomingHttpHeaders } from 'node:http';
import type { TransportRequest } from '@morgan/http-transport';
import type { BodyFacts, ResumeMode } from '@morgan/llm-protocol';
import type { AttemptLog } from '../attempt/attempt-log.ts';
import type { RepeatableUpload } from '../attempt/repeatable-upload.ts';

/** A call for whichever host is best. */
export interface HostRequest {
  readonly method: TransportRequest['method'];
  /** Below the host's base URL, starting with a slash: `/chat/completions`; `/../tokenize` is beside its `/v1`. */
  readonly path: string;
  /** The caller's headers; only an allow-list of them is passed on. */
  readonly headers: IncomingHttpHeaders;
  /** Passed on byte for byte, but for the name of the model where a target has another. */
  readonly body?: Buffer | undefined;
  /** A body that is not held, in place of `body`; whoever made it closes it when the call is over. */
  readonly upload?: RepeatableUpload | undefined;
  /** Left out, it is read from the body. */
  readonly model?: string | undefined;
  /** Whether a streamed response is asked for. Left out, it is read from the body. */
  readonly stream?: boolean | undefined;
  /** How many choices a streamed response has. Left out: one. */
  readonly choices?: number | undefined;
  /** Whether token counts of a stream are asked for on the caller's behalf, by `stream_options`, of hosts that take it. */
  readonly asksUsage?: boolean | undefined;
  /** What is known of the body already. Left out, or of another body: it is read once more. */
  readonly facts?: BodyFacts | undefined;
  /** The names of the hosts that may be asked, as for what one of them keeps. Left out: all of the route. */
  readonly only?: readonly string[] | undefined;
  /**
   * It takes up a call that broke off in the middle, and how: even its first attempt is an extra one, and the rest of an answer
   * may be nothing. Left out: it is a call of its own.
   */
  readonly takesUp?: ResumeMode | undefined;
  /** Attempts that were made before in another way, which its response counts as well. Left out: none. */
  readonly earlierAttempts?: number | undefined;
  /** Takes every attempt, for a log line of the caller's own. */
  readonly log?: AttemptLog | undefined;
}
