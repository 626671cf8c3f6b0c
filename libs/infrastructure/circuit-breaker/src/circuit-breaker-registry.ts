import { Listeners } from '@morgan/foundation';
import { CircuitBreaker, type CircuitBreakerParts } from './circuit-breaker.ts';
import type { CircuitStatus, StateChange } from './circuit-status.ts';

/** Breakers by name, such as one for each host, that share everything but the name. */
export class CircuitBreakerRegistry {
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #listeners: Listeners<StateChange>;

  constructor(private readonly shared: Omit<CircuitBreakerParts, 'name'> = {}) {
    this.#listeners = new Listeners(shared.logger);
  }

  /** The breaker of this name, made at the first call. */
  get(name: string): CircuitBreaker {
    const known = this.#breakers.get(name);
    if (known) return known;
    const breaker = new CircuitBreaker({ ...this.shared, name });
    breaker.onChange((change) => this.#listeners.emit(change));
    this.#breakers.set(name, breaker);
    return breaker;
  }

  /** Forgets a breaker whose host is gone; the metrics show its state no more. Calls that are under way end as they would. */
  remove(name: string): void {
    const breaker = this.#breakers.get(name);
    if (!breaker) return;
    this.#breakers.delete(name);
    this.shared.metrics?.forget(breaker);
  }

  /** Hears of the changes of all breakers, also of later ones. @returns a function that ends the subscription. */
  onChange(listener: (change: StateChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  getStatus(): Readonly<Record<string, CircuitStatus>> {
    return Object.fromEntries([...this.#breakers].map(([name, breaker]) => [name, breaker.getStatus()]));
  }
}
