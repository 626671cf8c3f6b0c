import { setImmediate } from 'node:timers/promises';

interface Batch<Value> {
  readonly keys: string[];
  readonly values: Promise<readonly Value[]>;
}

/** Sends the look-ups of one turn of the event loop as one: a command costs more than dozens of keys. */
export class JoinedLookups<Value> {
  #open: Batch<Value> | undefined;

  /**
   * @param mostKeys that are looked up together, by what is known then
   * @param lookUp resolves to one value for each key
   */
  constructor(
    private readonly mostKeys: () => number,
    private readonly lookUp: (keys: readonly string[]) => Promise<readonly Value[]>,
  ) {}

  /** The values of keys, in their order: no more of them than may be looked up together. @throws what `lookUp` rejects with */
  async get(keys: readonly string[]): Promise<readonly Value[]> {
    const batch = this.#batchFor(keys.length);
    const start = batch.keys.length;
    batch.keys.push(...keys);
    return (await batch.values).slice(start, start + keys.length);
  }

  #batchFor(count: number): Batch<Value> {
    if (this.#open && this.#open.keys.length + count <= this.mostKeys()) return this.#open;
    const keys: string[] = [];
    const batch = { keys, values: this.#send(keys) };
    this.#open = batch;
    return batch;
  }

  async #send(keys: readonly string[]): Promise<readonly Value[]> {
    await setImmediate();
    if (this.#open?.keys === keys) this.#open = undefined;
    return this.lookUp(keys);
  }
}
