import type { Target } from '../routing/target.ts';
import type { AttemptParts } from './attempt-parts.ts';
import { type CallRequest, workOf } from './attempt-request.ts';

/** Later than the target's own history makes likely, and never sooner than the limit of the call, in milliseconds. */
export function firstTokenLimitMs(
  target: Target,
  call: CallRequest,
  { usualSilenceMs }: Pick<AttemptParts, 'usualSilenceMs'>,
): number {
  const usualMs = usualSilenceMs(target, workOf(call));
  return Math.max(call.limits.firstTokenTimeoutMs, Number.isFinite(usualMs) ? usualMs : 0);
}

/** One clock for a streamed call: its end is a sign that the first token is late, not a limit. */
export class FirstTokenClock {
  /** Resolves once, when it is late; never after {@link FirstTokenClock.stop}. */
  late: Promise<undefined>;
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.late = promise;
    this.#timer = setTimeout(() => resolve(undefined), limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.late = Promise.withResolvers<undefined>().promise;
  }
}
