/** Samples that the mean is made of at most: it still follows a slow drift. */
const MEMORY = 8_000;
/** Half of the least change that is to be noticed, as the logarithm of the ratio to the mean: less counts as chance. */
const SLACK = 0.08;
/**
 * So much beyond the slack, summed over the samples, is a change: four batches of 200 that are a fifth off, or one that
 * is 60 % off. Values that scatter as much as their mean reach it by chance once in some
 * hundred million samples (Siegmund's approximation, 1985).
 */
const CHANGED = 80;

/** Batches in a row that are off to the same side. */
class Run {
  excess = 0;
  #sum = 0;
  samples = 0;

  get mean(): number {
    return this.#sum / this.samples;
  }

  add(deviation: number, mean: number, samples: number): void {
    this.excess += samples * (deviation - SLACK);
    if (this.excess <= 0) {
      this.restart();
      return;
    }
    this.#sum += samples * mean;
    this.samples += samples;
  }

  restart(): void {
    this.excess = this.#sum = this.samples = 0;
  }
}

/**
 * The mean of what stays the same for long and then jumps: all samples count alike, but none from before the last jump.
 * Two cumulative sums notice a jump (CUSUM; Page, 1954), one for each direction; the new mean is that of the batches
 * that made the sum grow.
 */
export class MeanSinceChange {
  #mean = NaN;
  #samples = 0;
  readonly #above = new Run();
  readonly #below = new Run();

  /** NaN before the first batch. */
  get mean(): number {
    return this.#mean;
  }

  /** How many samples the mean is made of; no more than it remembers. */
  get samples(): number {
    return this.#samples;
  }

  /** Whether the last batches were off to one side: the next ones will tell a change from chance. */
  get doubted(): boolean {
    return this.#above.excess + this.#below.excess > 0;
  }

  /** @returns whether this is a new mean: the first one, or one after a change. */
  add(mean: number, samples: number): boolean {
    if (this.#samples === 0) return this.#startAt(mean, samples);
    const deviation = Math.log(mean / this.#mean);
    this.#above.add(deviation, mean, samples);
    this.#below.add(-deviation, mean, samples);
    for (const run of [this.#above, this.#below])
      if (run.excess > CHANGED) return this.#startAt(run.mean, run.samples);
    this.#samples = Math.min(MEMORY, this.#samples + samples);
    this.#mean += (samples / this.#samples) * (mean - this.#mean);
    return false;
  }

  /** Forgets everything. */
  restart(): void {
    this.#startAt(NaN, 0);
  }

  #startAt(mean: number, samples: number): true {
    this.#mean = mean;
    this.#samples = samples;
    this.#above.restart();
    this.#below.restart();
    return true;
  }
}
