/** The first allocation for a body of unknown length. */
const FIRST_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/** One body in one piece of memory, filled as it comes. */
export class BodyBuffer {
  #bytes: Buffer = NOTHING;
  #length = 0;

  /**
   * @param declared how long the body will be, if anybody knows. Memory is taken once then, with the first bytes; else it
   * is doubled when it is full.
   * @param limit the most that it will be.
   */
  constructor(
    private readonly declared: number | undefined,
    private readonly limit: number,
  ) {}

  get length(): number {
    return this.#length;
  }

  /** What has come, at the beginning of it. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The memory that is needed to take so many bytes more. */
  capacityFor(more: number): number {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return this.#bytes.length;
    if (this.declared !== undefined) return Math.max(needed, this.declared);
    return Math.min(this.limit, Math.max(needed, FIRST_BYTES, this.#bytes.length * 2));
  }

  append(chunk: Buffer): void {
    // Most bodies come in one piece, which Node has made for this body alone.
    if (this.#length === 0 && chunk.length === this.declared) this.#bytes = chunk;
    else {
      this.#grow(this.capacityFor(chunk.length));
      chunk.copy(this.#bytes, this.#length);
    }
    this.#length += chunk.length;
  }

  /** The body itself. */
  whole(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Lets go of the memory: a connection that is kept open holds its last request, and all that this one refers to. */
  release(): void {
    this.#bytes = NOTHING;
    this.#length = 0;
  }

  #grow(capacity: number): void {
    if (capacity === this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
