import { dialectOf, type HostResponse, type LengthField, readBody } from '@morgan/distributed-llm';
import { CHAT_PATH } from './message-translation.ts';

const MOST_MODELS = 1_000;
const REFUSAL = /max_tokens\W+is not supported[^]*max_completion_tokens/;

/** Which models call the longest answer `max_completion_tokens`: learned from the refusal of the usual name. */
export class LengthFields {
  readonly #models = new Set<string>();

  of(model = ''): LengthField {
    return this.#models.has(model) ? 'max_completion_tokens' : 'max_tokens';
  }

  /** @returns whether a host has said so of the model, and for the first time. */
  learn(model: string | undefined, { status, whole }: Pick<HostResponse, 'status' | 'whole'>): boolean {
    const name = model ?? '';
    if (status !== 400 || !whole || this.#models.has(name)) return false;
    const { message = '' } = readBody(dialectOf(CHAT_PATH), whole)?.error ?? {};
    if (!REFUSAL.test(message)) return false;
    this.#models.add(name);
    if (this.#models.size > MOST_MODELS) this.#models.delete(this.#models.keys().next().value as string);
    return true;
  }
}
