import { createHash } from 'node:crypto';

const MOST_ENTRIES = 1_024;
const HELD_MS = 10 * 60_000;

/**
 * Inputs that ended a process, alone, on their second try. They are refused for a while without being run: whoever sends
 * one again and again would otherwise keep the processes loading.
 */
export class Quarantine {
  /** Until when, in milliseconds of the monotonic clock, the oldest first. */
  readonly #until = new Map<string, number>();

  add(ids: readonly number[]): void {
    const [oldest] = this.#until.keys();
    if (oldest !== undefined && this.#until.size >= MOST_ENTRIES) this.#until.delete(oldest);
    this.#until.set(keyOf(ids), performance.now() + HELD_MS);
  }

  has(ids: readonly number[]): boolean {
    if (this.#until.size === 0) return false;
    return (this.#until.get(keyOf(ids)) ?? 0) > performance.now();
  }
}

function keyOf(ids: readonly number[]): string {
  return createHash('sha256').update(Int32Array.from(ids)).digest('base64');
}
