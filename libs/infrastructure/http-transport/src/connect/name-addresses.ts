import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** What a connection is for, as far as its address goes. */
export interface Place {
  /** The address that it was last meant for; none before its name was resolved. */
  address?: string | undefined;
}

/** After so long without an answer the last one is taken, in milliseconds: resolvers try for longer than connections wait. */
const LATE_MS = 1_000;
/** No name server answers, or none of them can: the name may be as good as before. That it is not there is an answer. */
const UNANSWERED: ReadonlySet<string | undefined> = new Set([
  'EAI_AGAIN',
  'EAI_FAIL',
  'ETIMEOUT',
  'ESERVFAIL',
  'EREFUSED',
  'ECONNREFUSED',
]);

/**
 * The addresses behind one name. Each new connection tries the one first that the fewest others are meant for, and then
 * the others as Node does; only addresses of the family that the resolver prefers count. While no name server answers,
 * those of the last answer are used (RFC 8767): hosts do not go away with it.
 */
export class NameAddresses {
  readonly #lookup: LookupFunction;
  #known: readonly string[] = [];
  /** The last answer. */
  #found: readonly LookupAddress[] = [];

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
    return (hostname, options, callback) => {
      let isOver = false;
      const resolve = (found: readonly LookupAddress[]) => {
        isOver = true;
        const others = places().filter((other) => other !== place);
        const ordered = this.#order(found, place, others);
        const [first] = ordered;
        if (options.all || !first) callback(null, ordered);
        else callback(null, first.address, first.family);
      };
      const late = this.#found.length > 0 && setTimeout(() => resolve(this.#found), LATE_MS).unref();
      this.#lookup(hostname, { ...options, all: true }, (error, found, family) => {
        if (late) clearTimeout(late);
        if (!error && Array.isArray(found)) this.#found = found;
        if (isOver) return;
        const isUsable = !error || (UNANSWERED.has(error.code) && this.#found.length > 0);
        if (!isUsable || (!error && !Array.isArray(found))) return callback(error, found, family);
        resolve(this.#found);
      });
    };
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
