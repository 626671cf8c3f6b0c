/** What a batch needs, in bytes. */
interface BatchNeed {
  /** Of its longest text alone: less is of no use. */
  readonly leastBytes: number;
  /** Of all of it at once: more is of no use either. */
  readonly mostBytes: number;
}

/** What there is for batches, in bytes. */
interface BatchRoom {
  /** For all of them together. */
  readonly freeBytes: number;
  /** For each of them when all processes of all models are at work. */
  readonly shareBytes: number;
}

/**
 * Memory that batches hold while they run, those of all models together. Each takes its part of it. One whose longest text needs more
 * waits until others have ended, and nobody takes any before it meanwhile: it would be passed over for ever.
 */
export class BatchMemory {
  readonly #room: () => BatchRoom;
  readonly #listeners = new Set<() => void>();
  /** Those who wait, in the order in which they came. */
  readonly #line = new Set<object>();
  #takenBytes = 0;
  #isTelling = false;

  constructor(room: () => BatchRoom) {
    this.#room = room;
  }

  /** What one batch may take while no other runs: a text that needs more can never run. */
  get mostBytes(): number {
    return this.#room().freeBytes;
  }

  /**
   * What the batch may take, to be given back; undefined where it has to wait. Who waits is to try again when `onRoom` tells,
   * or to give up.
   */
  take(taker: object, { leastBytes, mostBytes }: BatchNeed): number | undefined {
    const { freeBytes, shareBytes } = this.#room();
    const leftBytes = freeBytes - this.#takenBytes;
    const [first = taker] = this.#line;
    if (first !== taker || leastBytes > leftBytes) {
      this.#line.add(taker);
      return undefined;
    }
    this.#line.delete(taker);
    this.#tell();
    const bytes = Math.max(leastBytes, Math.min(mostBytes, shareBytes, leftBytes));
    this.#takenBytes += bytes;
    return bytes;
  }

  give(bytes: number): void {
    this.#takenBytes -= bytes;
    this.#tell();
  }

  /** The taker's batch is gone, or has no process to run in. */
  giveUp(taker: object): void {
    if (this.#line.delete(taker)) this.#tell();
  }

  /** @param listener called when those who wait may try again. @returns ends that */
  onRoom(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Later: whoever takes or gives is in the midst of something. */
  #tell(): void {
    if (this.#line.size === 0 || this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
