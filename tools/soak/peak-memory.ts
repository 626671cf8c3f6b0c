import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../bench/resident-memory.ts';

const SAMPLE_MS = 500;

/** Looks again and again at what a process takes, with those that it started. */
export class PeakMemory {
  /** The most that was seen. */
  bytes = 0;
  readonly #end = new AbortController();
  readonly #over: Promise<void>;

  constructor(pid: number) {
    this.#over = this.#watch(pid);
  }

  async stop(): Promise<number> {
    this.#end.abort();
    await this.#over;
    return this.bytes;
  }

  async #watch(pid: number): Promise<void> {
    while (!this.#end.signal.aborted) {
      this.bytes = Math.max(this.bytes, await residentBytes(pid));
      await delay(SAMPLE_MS);
    }
  }
}
