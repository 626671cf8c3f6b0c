import { AppError } from '@morgan/foundation';
import type { EmbeddingJob } from './embedding-job.ts';

/** A call counts with at most this share of the limit: calls take turns, so a large one delays others no more than that. */
const LARGEST_SHARE = 1 / 8;
/** What waits of one caller counts with at most so many times what is left, so that something is left whoever sends how much. */
const TIMES_WHAT_IS_LEFT = 3;
/** Weight of the latest batch in the measured throughput. */
const LATEST_WEIGHT = 0.2;
const SHORTEST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const EVERYBODY = Symbol('everybody');

/**
 * Bounds what waits, in tokens. A caller of whom nothing waits is admitted with a call of any size while anything is left, so that
 * no call is refused for ever.
 */
export class Admission {
  readonly #waiting = new Map<EmbeddingJob, number>();
  /** What waits of each caller, as it counts, so that no call has to look through all others; of everybody under `EVERYBODY`. */
  readonly #counted = new Map<string | typeof EVERYBODY, number>();
  #tokensPerMs = 0;

  /** @param limit tokens that may wait */
  constructor(private readonly limit: number) {}

  /** Tokens that wait or are being computed; of a text that is not tokenised yet, an estimate. */
  get tokens(): number {
    let total = 0;
    for (const tokens of this.#waiting.values()) total += tokens;
    return total;
  }

  /** @throws AppError `queue_full`, for all calls or those of its caller, with the time until the first of the calls that wait is through */
  admit(job: EmbeddingJob, tokens: number): void {
    const { caller } = job.request;
    const waiting = this.#counted.get(EVERYBODY) ?? 0;
    if (waiting >= this.limit)
      throw this.#full(`${Math.round(waiting)} tokens wait for the model; the limit is ${this.limit}.`);
    if (caller !== undefined) this.#checkShare(caller, { free: this.limit - waiting, tokens });
    this.#set(job, tokens);
  }

  /** Corrects the estimate of a job by `tokens`, or counts off what is done. */
  adjust(job: EmbeddingJob, tokens: number): void {
    const waiting = this.#waiting.get(job);
    if (waiting !== undefined) this.#set(job, Math.max(0, waiting + tokens));
  }

  forget(job: EmbeddingJob): void {
    this.adjust(job, -Infinity);
    this.#waiting.delete(job);
  }

  /** What one batch has shown of the throughput of one process; `processes` of them work at the same time. */
  measured(tokens: number, elapsedMs: number, processes: number): void {
    const rate = (tokens * processes) / Math.max(elapsedMs, 0.1);
    this.#tokensPerMs =
      this.#tokensPerMs === 0 ? rate : this.#tokensPerMs + LATEST_WEIGHT * (rate - this.#tokensPerMs);
  }

  #set(job: EmbeddingJob, tokens: number): void {
    const { caller } = job.request;
    const share = this.limit * LARGEST_SHARE;
    const more = Math.min(tokens, share) - Math.min(this.#waiting.get(job) ?? 0, share);
    this.#waiting.set(job, tokens);
    this.#count(EVERYBODY, more);
    if (caller !== undefined) this.#count(caller, more);
  }

  #count(whose: string | typeof EVERYBODY, more: number): void {
    const counted = (this.#counted.get(whose) ?? 0) + more;
    if (counted === 0) this.#counted.delete(whose);
    else this.#counted.set(whose, counted);
  }

  /** One greedy caller gets three quarters, a second one three quarters of the rest, and so on: a dynamic threshold. */
  #checkShare(caller: string, { free, tokens }: { readonly free: number; readonly tokens: number }): void {
    const own = this.#counted.get(caller) ?? 0;
    const more = Math.min(tokens, this.limit * LARGEST_SHARE);
    if (own === 0 || own + more <= TIMES_WHAT_IS_LEFT * (free - more)) return;
    throw this.#full(
      `${Math.round(own)} tokens of your API key wait for the model, and what is free is left to others.`,
    );
  }

  #full(message: string): AppError {
    return new AppError('queue_full', message, { retryAfterMs: this.#retryAfterMs() });
  }

  /** Calls are served in turn, so the one with the least left is through after as much work for each of the others. */
  #retryAfterMs(): number {
    let least = Infinity;
    for (const tokens of this.#waiting.values()) least = Math.min(least, tokens);
    const untilRoomMs = this.#tokensPerMs === 0 ? 0 : (least * this.#waiting.size) / this.#tokensPerMs;
    return Math.min(Math.max(Math.ceil(untilRoomMs), SHORTEST_RETRY_MS), LONGEST_RETRY_MS);
  }
}
