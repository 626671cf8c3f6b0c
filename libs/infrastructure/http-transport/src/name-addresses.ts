import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** What a connection is for, as far as its address goes. */
export interface Place {
  /** The address that it was last meant for; none before its name was resolved. */
  address?: string | undefined;
}

/**
 * The addresses behind one name. Each new connection tries the one first that the fewest others are meant for, and then
 * the others as Node does; only addresses of the family that the resolver prefers count.
 */
export class NameAddresses {
  readonly #lookup: LookupFunction;
  #known: readonly string[] = [];

  /** @param lookup default: Node's way, the operating system's, uncached. */
  constructor(lookup: LookupFunction = systemLookup) {
    this.#lookup = lookup;
  }

  /** How many there were when the name was last resolved; 0 before. */
  get size(): number {
    return this.#known.length;
  }

  /** Resolves the name for one place. @param places all that there are. */
  lookupFor(place: Place, places: () => readonly Place[]): LookupFunction {
    return (hostname, options, callback) =>
      this.#lookup(hostname, { ...options, all: true }, (error, found, family) => {
        if (error || !Array.isArray(found)) return callback(error, found, family);
        const others = places().filter((other) => other !== place);
        const ordered = this.#order(found, place, others);
        const [first] = ordered;
        if (options.all || !first) callback(null, ordered);
        else callback(null, first.address, first.family);
      });
  }

  #order(found: readonly LookupAddress[], place: Place, others: readonly Place[]): LookupAddress[] {
    const preferred = found.filter(({ family }) => family === found[0]?.family);
    this.#known = preferred.map(({ address }) => address);
    const used = (address: string) => others.filter((other) => other.address === address).length;
    const fewest = Math.min(...this.#known.map(used));
    const least = preferred.filter(({ address }) => used(address) === fewest);
    // By chance among equals, or all processes would begin with the same.
    const first = least[Math.floor(Math.random() * least.length)];
    if (!first) return [...found];
    place.address = first.address;
    return [first, ...found.filter((one) => one !== first)];
  }
}
