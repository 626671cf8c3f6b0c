import type { OutcomeWindow } from './failure-rate.rule.ts';

/** The last so many calls, in a ring of one byte each. */
export class CountWindow implements OutcomeWindow {
  readonly #ring: Uint8Array;
  #next = 0;
  #calls = 0;
  #failures = 0;

  constructor(size: number) {
    this.#ring = new Uint8Array(size);
  }

  add(failed: boolean): { calls: number; failures: number } {
    const ring = this.#ring;
    const added = failed ? 1 : 0;
    this.#failures += added - (ring[this.#next] ?? 0);
    ring[this.#next] = added;
    this.#next = (this.#next + 1) % ring.length;
    this.#calls = Math.min(this.#calls + 1, ring.length);
    return { calls: this.#calls, failures: this.#failures };
  }
}
