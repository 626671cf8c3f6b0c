import { type Logger, silentLogger } from './logger.ts';

/** Is called with each event. */
export type Listener<Event> = (event: Event) => void;

/**
 * The subscribers of one kind of event. A listener that throws, or whose promise is rejected, is logged and harms
 * neither the others nor the caller. An event that a listener causes is delivered after the current one, so that all
 * listeners get the events in the same order.
 */
export class Listeners<Event> {
  /** By subscription: a listener that was added twice hears everything twice, until each has ended. */
  #listeners: readonly { readonly listener: Listener<Event> }[] = [];
  readonly #untold: Event[] = [];
  #isTelling = false;

  constructor(private readonly logger: Logger = silentLogger) {}

  /** Hears of what happens from now on. @returns a function that ends the subscription. */
  add(listener: Listener<Event>): () => void {
    const subscription = { listener };
    this.#listeners = [...this.#listeners, subscription];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== subscription);
    };
  }

  emit(event: Event): void {
    this.#untold.push(event);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#untold.length > 0) this.#tell(this.#untold.shift() as Event);
    } finally {
      this.#isTelling = false;
    }
  }

  #tell(event: Event): void {
    for (const subscription of this.#listeners) {
      // Another listener may have ended it just now.
      if (!this.#listeners.includes(subscription)) continue;
      try {
        // A function that returns a promise is one that returns nothing, too, by its type.
        const result: unknown = subscription.listener(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(error));
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.logger.error({ error }, 'a listener failed');
  }
}
