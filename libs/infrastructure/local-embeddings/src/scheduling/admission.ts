import { AppError, LinkedList } from '@morgan/foundation';
import type { EmbeddingJob } from './embedding-job.ts';

/** A call counts with at most this share of the limit: calls take turns, so a large one delays others no more than that. */
const LARGEST_SHARE = 1 / 8;
/** A small call has at most this share of the limit, such as the query of a search. */
const SMALL_SHARE = 1 / 256;
/**
 * What calls that are not small may take together. A batch takes a text of every call, so that small ones cost those who wait next to
 * nothing, and a few large ones, which wait for minutes, would have every query refused.
 */
const SHARE_OF_LARGE_CALLS = 7 / 8;
/** What waits of one caller counts with at most so many times what is left, so that something is left whoever sends how much. */
const TIMES_WHAT_IS_LEFT = 3;
/** Weight of the latest batch in the measured throughput. */
const LATEST_WEIGHT = 0.2;
const SHORTEST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const EVERYBODY = Symbol('everybody');
const LARGE_CALLS = Symbol('large calls');

/** What waits of a call, and whom it counts for. */
export interface WaitingTokens {
  tokens: number;
  readonly groups: readonly (string | symbol)[];
}

/**
 * Bounds what waits, in tokens. A caller of whom nothing waits is admitted with a call of any size while anything is left, so that
 * no call is refused for ever.
 */
export class Admission {
  readonly #waiting = new LinkedList<WaitingTokens>();
  /** What waits of each caller, of large calls and of everybody, as it counts, so that no call has to look through all others. */
  readonly #counted = new Map<string | symbol, number>();
  #tokensPerMs = 0;

  /** @param limit tokens that may wait */
  constructor(private readonly limit: number) {}

  /** Tokens that wait or are being computed; of a text that is not tokenised yet, an estimate. */
  get tokens(): number {
    let total = 0;
    for (const { tokens } of this.#waiting) total += tokens;
    return total;
  }

  /** @throws AppError `queue_full`, for all calls or those of its caller, with the time until the first of the calls that wait is through */
  admit(job: EmbeddingJob, tokens: number): void {
    const { caller } = job.request;
    const isLarge = tokens > this.limit * SMALL_SHARE;
    const free = this.limit - this.#of(EVERYBODY);
    const freeToLarge = this.limit * SHARE_OF_LARGE_CALLS - this.#of(LARGE_CALLS);
    if (free <= 0) throw this.#full(EVERYBODY, `wait for the model; the limit is ${this.limit}.`);
    if (isLarge && freeToLarge <= 0)
      throw this.#full(
        LARGE_CALLS,
        'of large calls wait for the model, and what is free is left to small ones.',
      );
    if (caller !== undefined)
      this.#checkShare(caller, { free: isLarge ? Math.min(free, freeToLarge) : free, tokens });
    const groups = [EVERYBODY, ...(isLarge ? [LARGE_CALLS] : []), ...(caller === undefined ? [] : [caller])];
    const waiting = { tokens: 0, groups };
    job.admitted = this.#waiting.append(waiting);
    this.#set(waiting, tokens);
  }

  /** Corrects the estimate of a job by `tokens`, or counts off what is done. */
  adjust(job: EmbeddingJob, tokens: number): void {
    const waiting = job.admitted?.item;
    if (waiting) this.#set(waiting, Math.max(0, waiting.tokens + tokens));
  }

  forget(job: EmbeddingJob): void {
    if (!job.admitted) return;
    this.adjust(job, -Infinity);
    this.#waiting.remove(job.admitted);
    job.admitted = undefined;
  }

  /** What one batch has shown of the throughput of one process; `processes` of them work at the same time. */
  measured(tokens: number, elapsedMs: number, processes: number): void {
    const rate = (tokens * processes) / Math.max(elapsedMs, 0.1);
    this.#tokensPerMs =
      this.#tokensPerMs === 0 ? rate : this.#tokensPerMs + LATEST_WEIGHT * (rate - this.#tokensPerMs);
  }

  #of(group: string | symbol): number {
    return this.#counted.get(group) ?? 0;
  }

  #set(waiting: WaitingTokens, tokens: number): void {
    const share = this.limit * LARGEST_SHARE;
    const more = Math.min(tokens, share) - Math.min(waiting.tokens, share);
    waiting.tokens = tokens;
    for (const group of waiting.groups) {
      const counted = this.#of(group) + more;
      if (counted === 0) this.#counted.delete(group);
      else this.#counted.set(group, counted);
    }
  }

  /** One greedy caller gets three quarters, a second one three quarters of the rest, and so on: a dynamic threshold. */
  #checkShare(caller: string, { free, tokens }: { readonly free: number; readonly tokens: number }): void {
    const own = this.#of(caller);
    const more = Math.min(tokens, this.limit * LARGEST_SHARE);
    if (own === 0 || own + more <= TIMES_WHAT_IS_LEFT * (free - more)) return;
    throw this.#full(caller, 'of your API key wait for the model, and what is free is left to others.');
  }

  #full(group: string | symbol, why: string): AppError {
    const retryAfterMs = this.#retryAfterMs(group);
    return new AppError('queue_full', `${Math.round(this.#of(group))} tokens ${why}`, { retryAfterMs });
  }

  /** Calls are served in turn, so the one of a group with the least left is through after as much work for each of the others. */
  #retryAfterMs(group: string | symbol): number {
    let least = Infinity;
    for (const { tokens, groups } of this.#waiting)
      if (groups.includes(group)) least = Math.min(least, tokens);
    const untilRoomMs = this.#tokensPerMs === 0 ? 0 : (least * this.#waiting.size) / this.#tokensPerMs;
    return Math.min(Math.max(Math.ceil(untilRoomMs), SHORTEST_RETRY_MS), LONGEST_RETRY_MS);
  }
}
