/**
 * Lets transfers begin, in the order in which they came, while those under way are within a number of bytes: each is then over in
 * about the time that these take, whatever else there is to be sent, and none looks like a server that does not answer.
 */
export class TransferBudget {
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];

  /** @param mostBytes that are under way at a time; a larger transfer goes alone */
  constructor(private readonly mostBytes: number) {}

  /** Whether a transfer waits for others. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** @param bytes that the transfer will have, about. @throws what `transfer` rejects with */
  async run<Result>(bytes: number, transfer: () => Promise<Result>): Promise<Result> {
    const counted = Math.min(bytes, this.mostBytes);
    if (this.#waiting.length === 0 && this.#fits(counted)) this.#used += counted;
    else await new Promise<void>((begin) => this.#waiting.push({ bytes: counted, begin }));
    try {
      return await transfer();
    } finally {
      this.#used -= counted;
      this.#beginNext();
    }
  }

  #fits(bytes: number): boolean {
    return this.#used + bytes <= this.mostBytes;
  }

  #beginNext(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.bytes;
      next.begin();
    }
  }
}
