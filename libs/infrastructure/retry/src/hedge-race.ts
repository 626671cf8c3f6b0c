import { type CallContext, contextWith } from '@morgan/foundation';
import type { HedgeOutcome } from './retry-outcome.ts';

/** What a race asks and tells. */
interface HedgeRaceOptions<Result, Context extends CallContext> {
  readonly work: (context: Context) => Promise<Result>;
  readonly context: Context;
  /** When the second attempt starts, in milliseconds after the first. */
  readonly delayMs: number;
  /** Asked once, when the delay is over and nothing has been answered: may there be a second attempt? */
  readonly mayHedge: () => boolean;
  /** Told of the end of a race that had a second attempt. */
  readonly onHedgeEnd: (outcome: HedgeOutcome) => void;
}

/** One call with at most two attempts, of which the first response counts and the other attempt is aborted. */
export class HedgeRace<Result, Context extends CallContext> {
  readonly #options: HedgeRaceOptions<Result, Context>;
  readonly #attempts: AbortController[] = [];
  readonly #outcome = Promise.withResolvers<Result>();
  #timer: NodeJS.Timeout | undefined;
  #failed = 0;
  #firstError: unknown;
  #over = false;

  constructor(options: HedgeRaceOptions<Result, Context>) {
    this.#options = options;
  }

  /** @throws what the first attempt to fail threw, once no other attempt is left. */
  run(): Promise<Result> {
    this.#timer = setTimeout(() => this.#hedge(), this.#options.delayMs);
    this.#start();
    return this.#outcome.promise;
  }

  #hedge(): void {
    const { context, mayHedge } = this.#options;
    if (!context.signal.aborted && mayHedge()) this.#start();
  }

  #start(): void {
    const { context, work } = this.#options;
    const attempt = new AbortController();
    this.#attempts.push(attempt);
    // Unlike a listener it may stay: the winner's response can be a stream, which the caller's abort must still reach.
    const signal = AbortSignal.any([context.signal, attempt.signal]);
    const run = async (): Promise<Result> => work(contextWith(context, { signal }));
    void run().then(
      (result) => this.#succeed(attempt, result),
      (error: unknown) => this.#fail(error),
    );
  }

  #succeed(winner: AbortController, result: Result): void {
    if (this.#over) return;
    this.#end(winner === this.#attempts[0] ? 'lost' : 'won');
    this.#outcome.resolve(result);
    for (const attempt of this.#attempts) if (attempt !== winner) attempt.abort();
  }

  #fail(error: unknown): void {
    if (this.#failed === 0) this.#firstError = error;
    this.#failed += 1;
    if (this.#failed < this.#attempts.length) return;
    this.#end('failed');
    this.#outcome.reject(this.#firstError);
  }

  #end(outcome: HedgeOutcome): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#attempts.length > 1) this.#options.onHedgeEnd(outcome);
  }
}
