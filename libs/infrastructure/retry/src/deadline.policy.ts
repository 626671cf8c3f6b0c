import { type CallContext, newCall, parseSettings, type Policy, type Work } from '@morgan/foundation';
import { DeadlineScope } from './deadline-scope.ts';
import { deadlineConfig } from './retry.config.ts';

/** What bounds every call of one {@link DeadlinePolicy}. */
export interface DeadlineOptions {
  /** How long a call may take. None: only the deadline that a call brings along counts. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Sets the deadline of a call, once and outermost, and cuts short whatever is not over by then. It covers the work
 * until its promise settles: a response that goes on after that, such as a stream, needs a {@link DeadlineScope}.
 */
export class DeadlinePolicy implements Policy {
  readonly #timeoutMs: number | undefined;

  /** @throws ConfigError where the time is no number above 0. */
  constructor(options: DeadlineOptions = {}) {
    this.#timeoutMs = parseSettings(deadlineConfig, options).timeoutMs;
  }

  /** @throws AppError `deadline_exceeded`; on the caller's abort `client_closed_request` or the abort's own reason. */
  async execute<Result>(work: Work<Result>, context: CallContext = newCall()): Promise<Result> {
    const scope = new DeadlineScope(context, this.#timeoutMs);
    try {
      return await scope.run(work);
    } finally {
      scope[Symbol.dispose]();
    }
  }
}
