import type { JsonObject } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';

/** Why a host's stream is not a complete response. */
export type StreamFaultReason =
  /** No text, reasoning or tool call within the limit. */
  | 'first_content_timeout'
  /** Silence within the response for longer than the limit. */
  | 'stalled'
  /** One event is larger than the limit. */
  | 'event_too_large'
  /** The host said in the stream that it failed. */
  | 'host_error'
  /** The body ended cleanly before anything of a response had come. */
  | 'empty'
  /** The body ended cleanly, but the response had not. */
  | 'unfinished'
  /** The connection broke. */
  | 'cut'
  /** A second host's response does not go on where the first one's broke off. */
  | 'diverged';

/** A host's stream that broke, ended early or took too long. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
  /** The response, where the host said that this has failed. */
  failed: JsonObject | undefined;

  /** @param reported what the host itself said, for `host_error`. */
  constructor(
    readonly reason: StreamFaultReason,
    message: string,
    readonly reported?: ReportedError,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** What was thrown while a stream was read. */
export function streamFaultOf(cause: unknown): StreamFault {
  if (cause instanceof StreamFault) return cause;
  return new StreamFault('host_error', 'The stream of the host could not be read.', undefined, cause);
}

const UNEXPLAINED: ReportedError = {
  status: undefined,
  type: undefined,
  code: undefined,
  message: 'The response has failed, and its host did not say why.',
};

/**
 * @param told what the host said, if it did.
 * @param failed the response, where the host said that this has failed.
 */
export function reportedFault(told: ReportedError | undefined, failed: JsonObject | undefined): StreamFault {
  const fault = new StreamFault(
    'host_error',
    'The host reported an error in its stream.',
    told ?? UNEXPLAINED,
  );
  fault.failed = failed;
  return fault;
}
