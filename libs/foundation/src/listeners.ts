import { type Logger, silentLogger } from './logger.ts';

/** Hears of something that has happened. */
export type Listener<Event> = (event: Event) => void;

/** Those who want to hear of one kind of event. One that throws is logged, and harms neither the others nor the caller. */
export class Listeners<Event> {
  readonly #listeners = new Set<Listener<Event>>();

  constructor(private readonly logger: Logger = silentLogger) {}

  /** @returns a function that ends the subscription. */
  add(listener: Listener<Event>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.logger.error({ error }, 'a listener failed');
      }
    }
  }
}
