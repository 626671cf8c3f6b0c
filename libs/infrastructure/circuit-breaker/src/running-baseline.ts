/** Mean and spread of the last calls, the older the less: the state that a host is usually in. */
export class RunningBaseline {
  #samples = 0;
  #mean = 0;
  #variance = 0;

  /** @param memory how many samples make it up, and have to be seen before it counts as learned. */
  constructor(private readonly memory: number) {}

  get learned(): boolean {
    return this.#samples >= this.memory;
  }

  get mean(): number {
    return this.#mean;
  }

  /** Standard deviation. */
  get deviation(): number {
    return Math.sqrt(this.#variance);
  }

  add(sample: number): void {
    this.#samples = Math.min(this.#samples + 1, this.memory);
    const weight = 1 / this.#samples;
    const distance = sample - this.#mean;
    this.#mean += weight * distance;
    this.#variance = (1 - weight) * (this.#variance + weight * distance ** 2);
  }
}
