import type { StateChange } from './circuit-status.ts';

/** Those who want to know of changes. One that throws harms neither the call nor the others, as with Node's EventTarget. */
export class StateListeners {
  readonly #listeners = new Set<(change: StateChange) => void>();

  /** @returns a function that ends the subscription. */
  add(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(change: StateChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
