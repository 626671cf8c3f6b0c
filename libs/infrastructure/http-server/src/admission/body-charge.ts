/** Who keeps the account that a charge stands in. */
interface ChargeAccount {
  /** @throws AppError `overloaded`: nothing has changed then. */
  grow(from: number, to: number): void;
  /** Adds bytes, and waits for room. @returns how many bytes were added; a promise where there is no room at once */
  add(from: number, more: number, signal: AbortSignal): number | Promise<number>;
  shrink(bytes: number): void;
  release(bytes: number): void;
}

/** What one call holds of the memory for bodies, from before its body is read until its response is over. */
export class BodyCharge {
  #isReleased = false;
  #bytes: number;

  constructor(
    bytes: number,
    private readonly account: ChargeAccount,
  ) {
    this.#bytes = bytes;
  }

  /** Raises the charge to so many bytes; to fewer than now changes nothing. @throws AppError `overloaded` */
  growTo(bytes: number): void {
    if (bytes <= this.#bytes || this.#isReleased) return;
    this.account.grow(this.#bytes, bytes);
    this.#bytes = bytes;
  }

  /**
   * Raises the charge by so many bytes, for what an answer holds until it is read.
   * @returns a promise where that has to be waited for, which rejects with AppError `overloaded` or the reason of the signal
   */
  add(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#isReleased) return undefined;
    const added = this.account.add(this.#bytes, bytes, signal);
    if (added instanceof Promise) return added.then((more) => this.#added(more));
    this.#added(added);
    return undefined;
  }

  #added(bytes: number): void {
    if (this.#isReleased) this.account.shrink(bytes);
    else this.#bytes += bytes;
  }

  /** Gives back what is needed no more; to more than now changes nothing. */
  shrinkTo(bytes: number): void {
    if (bytes >= this.#bytes || this.#isReleased) return;
    this.account.shrink(this.#bytes - bytes);
    this.#bytes = bytes;
  }

  /** Gives the memory and the place of the call back. Once is enough. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.account.release(this.#bytes);
  }
}
