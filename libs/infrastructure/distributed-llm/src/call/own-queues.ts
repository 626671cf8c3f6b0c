import type { Target } from '../routing/target.ts';
import { type ChoiceInput, hasTierBelow } from '../routing/target-selector.ts';

/**
 * How long a call waits in the queues of our own limits (rate, tokens, concurrency of a host). A limit may look free and be used up,
 * as other processes share it: then the call does not wait while an equal host is free. If there is a lower tier, it waits no longer
 * than it would for a host that rests.
 */
export class OwnQueues {
  #met: Map<Target, number> | undefined;

  /** How often a limit turned out to be used up, by target; none as long as none did. */
  get met(): ReadonlyMap<Target, number> | undefined {
    return this.#met;
  }

  /** How long an attempt may wait there, in milliseconds; none: as long as the limit says. */
  maxWaitMs(target: Target, input: ChoiceInput): number | undefined {
    const room = target.host.policies.room(input.traits.promptTokens);
    const times = this.#met?.get(target) ?? 0;
    if (times === 0 && room.available) return 0;
    if (times > 1 || !hasTierBelow(target, input)) return undefined;
    this.#note(target, 1);
    const isTooLong = !room.available && (room.retryAfterMs ?? 0) > input.mayWaitMs;
    return isTooLong ? 0 : input.mayWaitMs;
  }

  /** The call has waited at this target for as long as it may. */
  left(target: Target): void {
    this.#note(target, (this.#met?.get(target) ?? 0) + 1);
  }

  #note(target: Target, times: number): void {
    this.#met ??= new Map();
    this.#met.set(target, times);
  }
}
