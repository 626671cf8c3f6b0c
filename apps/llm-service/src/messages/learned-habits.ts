import { LatestMap } from '@morgan/foundation';
import {
  type ChatHabits,
  dialectOf,
  habitsShown,
  type HostResponse,
  readBody,
  USUAL_HABITS,
} from '@morgan/distributed-llm';
import { CHAT_PATH } from './message-translation.ts';

const MOST_MODELS = 1_000;

/** How models want to be asked: learned from their refusals. */
export class LearnedHabits {
  readonly #models = new LatestMap<string, ChatHabits>(MOST_MODELS);

  of(model = ''): ChatHabits {
    return this.#models.get(model) ?? USUAL_HABITS;
  }

  /** @returns whether a response shows a habit of the model that was not known: then it is worth asking once more. */
  learn(model: string | undefined, { status, whole }: Pick<HostResponse, 'status' | 'whole'>): boolean {
    if (status < 400 || !whole) return false;
    const error = readBody(dialectOf(CHAT_PATH), whole)?.error;
    const shown = error && habitsShown(this.of(model), error);
    if (!shown) return false;
    this.#models.set(model ?? '', shown);
    return true;
  }
}
