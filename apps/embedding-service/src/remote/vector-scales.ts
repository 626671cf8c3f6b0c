/** As far from 1 are the lengths of vectors that their host has scaled at most: what 16 bits make of them. */
const SCALED_WITHIN = 0.001;
/** As far from 1 is a length, at least, that shows that a host does not scale. */
const UNSCALED_BEYOND = 0.1;
/** Vectors in a row that have length 1 by chance in no model. */
const CERTAIN = 3;

/**
 * Whether each host scales its vectors to length 1. Of one model some servers do and others do not, and who compares by dot
 * products must not get both, from the cache least of all.
 */
export class VectorScales {
  /** How many vectors of each host have had length 1 since one had another. */
  readonly #scaled: (number | undefined)[] = [];

  /**
   * Hears of an answer of a host, by its place in the list of hosts.
   * @returns the place of a host before it in the list that does otherwise: those after it have to do as it does
   */
  contradicted(host: number, vectors: readonly Float32Array[]): number | undefined {
    for (const vector of vectors) {
      const distance = Math.abs(lengthOf(vector) - 1);
      if (distance <= SCALED_WITHIN) this.#scaled[host] = (this.#scaled[host] ?? 0) + 1;
      else if (distance >= UNSCALED_BEYOND) this.#scaled[host] = 0;
    }
    const own = this.#scales(host);
    if (own === undefined) return undefined;
    return Array.from({ length: host }, (_, place) => place).find((place) => this.#scales(place) === !own);
  }

  /** Undefined where its vectors have not said it yet. */
  #scales(host: number): boolean | undefined {
    const scaled = this.#scaled[host];
    if (scaled === undefined) return undefined;
    return scaled >= CERTAIN || (scaled === 0 ? false : undefined);
  }
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
