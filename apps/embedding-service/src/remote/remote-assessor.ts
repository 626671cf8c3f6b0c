import { AppError, assessCall, type Assessment, type CallAssessor } from '@morgan/foundation';
import { HttpClientError } from '@morgan/http-client';
import { type RefusalSubject, subjectOf } from './remote-refusal.ts';

/** A host that has given no vectors yet, or is usually faster than this, is silent after such a time, in milliseconds. */
const LEAST_SILENCE_MS = 1_000;
/** How many times longer than nearly all of its answers took. */
const SILENCE_FACTOR = 3;

const IGNORED: Assessment = { verdict: 'ignored', overloaded: false };
/** Who refuses an input is there. */
const SUCCESS: Assessment = { verdict: 'success', overloaded: false };
const FAILURE: Assessment = { verdict: 'failure', overloaded: false };

/** What a refusal says of its host, where its status says something else. */
const OF_SUBJECT: Readonly<Partial<Record<RefusalSubject, Assessment>>> = {
  settings: FAILURE,
  // It is asked again when it has said, and not after the longer wait of a circuit.
  limit: { verdict: 'ignored', overloaded: true },
};

/**
 * What the end of an attempt says about an embedding host: its words count, not only its status, and so does its silence. Callers that
 * leave, or whose time is up, say nothing about a host that they gave no time.
 */
export class RemoteAssessor {
  /**
   * @param hasOther whether somebody else would serve the calls of a host that falls silent
   * @param slowestMs how long nearly all of its answers take; undefined while there were none
   */
  constructor(
    private readonly hasOther: boolean,
    private readonly slowestMs: () => number | undefined,
  ) {}

  readonly assess: CallAssessor = (ending, context, tookMs = 0) => {
    if ('result' in ending) return assessCall(ending, context);
    if (context.signal.aborted && !this.#isLong(tookMs)) return IGNORED;
    // A lone host is better than none, though nobody waits for it.
    if (context.signal.aborted) return this.hasOther ? FAILURE : assessCall(ending, context);
    if (ending.error instanceof AppError && ending.error.code === 'invalid_value') return SUCCESS;
    // Also where the host has a good status, as that of a redirect.
    if (ending.error instanceof AppError && ending.error.code === 'host_error') return FAILURE;
    const response = ending.error instanceof HttpClientError ? ending.error.response : undefined;
    return (response && OF_SUBJECT[subjectOf(response)]) ?? assessCall(ending, context);
  };

  #isLong(tookMs: number): boolean {
    return tookMs >= Math.max(LEAST_SILENCE_MS, SILENCE_FACTOR * (this.slowestMs() ?? 0));
  }
}
