/** The exact quantiles of the last so many values: bounded memory, and what is long past is forgotten. */
export class QuantileWindow {
  readonly #byAge: Float64Array;
  readonly #sorted: Float64Array;
  #size = 0;
  #next = 0;

  constructor(capacity: number) {
    this.#byAge = new Float64Array(capacity);
    this.#sorted = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** The mean of the values; NaN of an empty window. */
  get mean(): number {
    let sum = 0;
    for (let at = 0; at < this.#size; at += 1) sum += this.#sorted[at] as number;
    return sum / this.#size;
  }

  /** Adds a value; a full window forgets its oldest one. Costs two moves within `capacity` numbers. */
  add(value: number): void {
    const capacity = this.#byAge.length;
    if (this.#size === capacity) this.#remove(this.#byAge[this.#next] as number);
    const at = this.#rank(value);
    this.#sorted.copyWithin(at + 1, at, this.#size);
    this.#sorted[at] = value;
    this.#byAge[this.#next] = value;
    this.#next = (this.#next + 1) % capacity;
    this.#size += 1;
  }

  /** The smallest value that at least the share `quantile` (0 to 1) does not exceed. None of an empty window. */
  quantile(quantile: number): number | undefined {
    if (this.#size === 0) return undefined;
    return this.#sorted[Math.max(0, Math.ceil(quantile * this.#size) - 1)];
  }

  #remove(value: number): void {
    const at = this.#rank(value);
    this.#sorted.copyWithin(at, at + 1, this.#size);
    this.#size -= 1;
  }

  /** How many values are smaller. */
  #rank(value: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
