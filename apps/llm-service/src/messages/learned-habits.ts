import { LatestMap } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import { type ChatHabits, habitsShown, USUAL_HABITS } from '@morgan/llm-protocol';

const MOST_MODELS = 1_000;

/** How models want to be asked: learned from their refusals. */
export class LearnedHabits {
  readonly #models = new LatestMap<string, ChatHabits>(MOST_MODELS);

  of(model = ''): ChatHabits {
    return this.#models.get(model) ?? USUAL_HABITS;
  }

  /** @returns whether a refusal shows a habit of the model that was not known: then it is worth asking once more. */
  learn(model: string | undefined, refusals: readonly ReportedError[]): boolean {
    const shown = refusals.map((each) => habitsShown(this.of(model), each)).findLast(Boolean);
    if (shown) this.#models.set(model ?? '', shown);
    return shown !== undefined;
  }
}
