/** Remembers texts for a while, in bounded memory: the latest ones stay. */
export class RecentSet {
  readonly #until = new Map<string, number>();

  /** @param most how many are kept. @param keptMs for how long after they were last added, in milliseconds. */
  constructor(
    private readonly most: number,
    private readonly keptMs: number,
  ) {}

  get size(): number {
    return this.#until.size;
  }

  has(text: string): boolean {
    const until = this.#until.get(text);
    return until !== undefined && until > performance.now();
  }

  add(text: string): void {
    this.#until.delete(text);
    this.#until.set(text, performance.now() + this.keptMs);
    if (this.#until.size > this.most) this.#until.delete(this.#until.keys().next().value as string);
  }

  delete(text: string): void {
    this.#until.delete(text);
  }

  clear(): void {
    this.#until.clear();
  }
}
