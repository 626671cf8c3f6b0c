import { createHash } from 'node:crypto';
import type { TokenRow } from '../model/embedding-model.types.ts';
import type { TextPart } from '../processes/process-protocol.ts';

const MOST_ENTRIES = 1_024;
const HELD_MS = 10 * 60_000;

/**
 * Inputs that ended a process, alone, on their second try. They are refused for a while without being run: whoever sends
 * one again and again would otherwise keep the processes loading.
 */
export class Quarantine {
  /** Until when, in milliseconds of the monotonic clock, the oldest first. */
  readonly #until = new Map<string, number>();

  add(row: TokenRow | TextPart): void {
    const key = keyOf(row);
    // Before it is put to the end: a place in a `Map` is kept.
    this.#until.delete(key);
    const [oldest] = this.#until.keys();
    if (oldest !== undefined && this.#until.size >= MOST_ENTRIES) this.#until.delete(oldest);
    this.#until.set(key, performance.now() + HELD_MS);
  }

  has(row: TokenRow | TextPart): boolean {
    if (this.#until.size === 0) return false;
    return (this.#until.get(keyOf(row)) ?? 0) > performance.now();
  }
}

function keyOf(row: TokenRow | TextPart): string {
  const key = 'ids' in row ? Int32Array.from(row.ids) : JSON.stringify(row);
  return createHash('sha256').update(key).digest('base64');
}
