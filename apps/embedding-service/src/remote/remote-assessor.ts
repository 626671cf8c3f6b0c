import { hash } from 'node:crypto';
import { AppError, assessCall, type Assessment, type CallAssessor, type ErrorCode } from '@morgan/foundation';
import { HttpClientError, type WholeResponse } from '@morgan/http-client';
import { refusalOf } from './remote-refusal.ts';

/** A host that has given no vectors yet, or is usually faster than this, is silent after such a time, in milliseconds. */
const LEAST_SILENCE_MS = 1_000;
/** How many times longer than nearly all of its answers took. */
const SILENCE_FACTOR = 3;

/** Different inputs with such a refusal that are remembered; the circuit of a host opens long before. */
const MOST_INPUTS = 100;

/** What this service itself says of a host that it need not ask. */
const OF_NO_USE: readonly ErrorCode[] = ['host_error', 'host_rejected_credentials', 'request_loop'];

const IGNORED: Assessment = { verdict: 'ignored', overloaded: false };
/** Who refuses an input is there. */
const SUCCESS: Assessment = { verdict: 'success', overloaded: false };
const FAILURE: Assessment = { verdict: 'failure', overloaded: false };

/** It is asked again when it has said, and not after the longer wait of a circuit. */
const LATER: Assessment = { verdict: 'ignored', overloaded: true };

/**
 * What the end of an attempt says about an embedding host: its words count, not only its status, and so does its silence. Callers that
 * leave, or whose time is up, say nothing about a host that they gave no time.
 */
export class RemoteAssessor {
  /** Digests of the inputs that were refused so since the host last gave vectors. */
  readonly #failed = new Set<string>();
  readonly #inputsOf = new WeakMap<WholeResponse, string>();

  /**
   * @param hasOther whether somebody else would serve the calls of a host that falls silent
   * @param slowestMs how long nearly all of its answers take; undefined while there were none
   */
  constructor(
    private readonly hasOther: boolean,
    private readonly slowestMs: () => number | undefined,
  ) {}

  readonly assess: CallAssessor = (ending, context, tookMs = 0) => {
    if ('result' in ending) {
      this.#failed.clear();
      return assessCall(ending, context);
    }
    if (context.signal.aborted && !this.#isLong(tookMs)) return IGNORED;
    // A lone host is better than none, though nobody waits for it.
    if (context.signal.aborted) return this.hasOther ? FAILURE : assessCall(ending, context);
    if (ending.error instanceof AppError && ending.error.code === 'invalid_value') return SUCCESS;
    // Also where the host has a good status, as that of a redirect, or one that is about inputs.
    if (ending.error instanceof AppError && OF_NO_USE.includes(ending.error.code)) return FAILURE;
    const response = ending.error instanceof HttpClientError ? ending.error.response : undefined;
    if (!response) return assessCall(ending, context);
    const { subject } = refusalOf(response);
    if (subject === 'limit') return LATER;
    if (subject === 'host' && this.#isKnown(response)) return IGNORED;
    // By its status alone a 400 would be about the caller.
    return response.status < 500 ? FAILURE : assessCall(ending, context);
  };

  /**
   * To be called with each refusal before it is assessed: a 500, or what is a fault of the host by its words only, may be about the
   * inputs alone, as that of a text at which a host always fails. However often it is sent, such a text counts once and shuts
   * nobody else out.
   */
  refused(response: WholeResponse, inputs: readonly unknown[]): void {
    if (response.status <= 500) this.#inputsOf.set(response, hash('sha256', JSON.stringify(inputs)));
  }

  /** Whether it says again what is known of these inputs. */
  #isKnown(response: WholeResponse): boolean {
    const inputs = this.#inputsOf.get(response);
    if (inputs === undefined) return false;
    if (this.#failed.has(inputs)) return true;
    if (this.#failed.size < MOST_INPUTS) this.#failed.add(inputs);
    return false;
  }

  #isLong(tookMs: number): boolean {
    return tookMs >= Math.max(LEAST_SILENCE_MS, SILENCE_FACTOR * (this.slowestMs() ?? 0));
  }
}
