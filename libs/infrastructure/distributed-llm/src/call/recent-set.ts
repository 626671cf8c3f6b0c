import { LatestMap } from '@morgan/foundation';

/** Remembers texts for a while, in bounded memory: the latest ones stay. */
export class RecentSet {
  readonly #until: LatestMap<string, number>;

  /** @param most how many are kept. @param keptMs for how long after they were last added, in milliseconds. */
  constructor(
    most: number,
    private readonly keptMs: number,
  ) {
    this.#until = new LatestMap(most);
  }

  get size(): number {
    return this.#until.size;
  }

  has(text: string): boolean {
    const until = this.#until.get(text);
    return until !== undefined && until > performance.now();
  }

  add(text: string): void {
    this.#until.set(text, performance.now() + this.keptMs);
  }

  delete(text: string): void {
    this.#until.delete(text);
  }

  clear(): void {
    this.#until.clear();
  }
}
