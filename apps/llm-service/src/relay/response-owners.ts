import { AppError } from '@morgan/foundation';

const MOST_ENTRIES = 50_000;
/** The ids of all hosts that are known to keep responses look like this. */
const ID = /^[A-Za-z0-9][\w.:-]{0,255}$/;

/**
 * Which host made a response, and therefore keeps it. In the memory of this process: the latest 50,000 are known, until
 * it ends.
 */
export class ResponseOwners {
  readonly #hosts = new Map<string, string>();
  /** Those that are made in the background. */
  readonly #uncounted = new Set<string>();

  /** @param isCounted whether its tokens are known. */
  add(id: string, host: string, isCounted = true): void {
    if (!ID.test(id)) return;
    this.#forget(id);
    this.#hosts.set(id, host);
    if (!isCounted) this.#uncounted.add(id);
    if (this.#hosts.size > MOST_ENTRIES) this.#forget(this.#hosts.keys().next().value as string);
  }

  /** Whether the tokens of a response are counted now, where it is asked for again: once for each. */
  takeCount(id: string): boolean {
    return this.#uncounted.delete(id);
  }

  /**
   * @param hosts all that take part: with a single one there is no question of what nobody knows.
   * @throws AppError `response_not_found` where nobody knows who keeps it.
   */
  ownerOf(id: string, hosts: readonly string[], param: string): string {
    // Another host may have made it that is out of rotation now.
    const owner = this.#hosts.get(id) ?? (hosts.length === 1 ? hosts[0] : undefined);
    if (owner !== undefined && ID.test(id)) return owner;
    throw new AppError('response_not_found', 'It is not known here which host keeps this response.', {
      param,
    });
  }

  #forget(id: string): void {
    this.#hosts.delete(id);
    this.#uncounted.delete(id);
  }
}
