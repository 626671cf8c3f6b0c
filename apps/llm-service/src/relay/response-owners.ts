import { AppError } from '@morgan/foundation';

const MOST_ENTRIES = 50_000;
/** The ids of all hosts that are known to keep responses look like this. */
const ID = /^[A-Za-z0-9][\w.:-]{0,255}$/;

/** Who made a response and for whom. */
export interface ResponseOwner {
  readonly host: string;
  /** Who asked for it; empty where callers are not told apart. */
  readonly caller: string;
}

/** Who asks for a response that is kept, and how. */
interface OwnerQuestion {
  /** All hosts that take part: with a single one there is no question of what nobody knows. */
  readonly hosts: readonly string[];
  /** Where the id stands. */
  readonly param: string;
  /** Nobody but who asked for a response is told of it. None: an operator asks. */
  readonly caller?: string | undefined;
}

/**
 * Which host made a response, and therefore keeps it, and for which caller: a host takes all of them for one. In the memory of
 * this process: the latest 50,000 are known, until it ends.
 */
export class ResponseOwners {
  readonly #owners = new Map<string, ResponseOwner>();
  /** Those that are made in the background. */
  readonly #uncounted = new Set<string>();

  /** @param isCounted whether its tokens are known. */
  add(id: string, owner: ResponseOwner, isCounted = true): void {
    if (!ID.test(id)) return;
    this.#forget(id);
    this.#owners.set(id, owner);
    if (!isCounted) this.#uncounted.add(id);
    if (this.#owners.size > MOST_ENTRIES) this.#forget(this.#owners.keys().next().value as string);
  }

  /** Whether the tokens of a response are counted now, where it is asked for again: once for each. */
  takeCount(id: string): boolean {
    return this.#uncounted.delete(id);
  }

  /**
   * @returns the name of a host.
   * @throws AppError `response_not_found` where nobody knows who keeps it, and alike where it is another caller's.
   */
  ownerOf(id: string, { hosts, param, caller }: OwnerQuestion): string {
    const owner = this.#owners.get(id);
    const isOthers = owner !== undefined && caller !== undefined && owner.caller !== caller;
    // Another host may have made it that is out of rotation now.
    const host = owner?.host ?? (hosts.length === 1 ? hosts[0] : undefined);
    if (host !== undefined && !isOthers && ID.test(id)) return host;
    throw new AppError('response_not_found', 'It is not known here which host keeps this response.', {
      param,
    });
  }

  #forget(id: string): void {
    this.#owners.delete(id);
    this.#uncounted.delete(id);
  }
}
