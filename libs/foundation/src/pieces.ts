/** So many pieces are looked at together. */
const GROUP = 512;
/** Pieces that are smaller than this on average are joined: whoever sends them chooses how many there are, and each takes some 200 bytes more. */
const SMALL_BYTES = 1_024;

/** The pieces of a body in the order in which they come. What is kept of it costs little more than its bytes, however small they are. */
export class Pieces {
  #pieces: Buffer[] = [];
  #length = 0;
  /** Of those at the end that have not been looked at. */
  #newPieces = 0;
  #newBytes = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  /** Those that there are now, several of those that came in one. */
  get list(): readonly Buffer[] {
    return this.#pieces;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.#newPieces += 1;
    this.#newBytes += piece.length;
    if (this.#newPieces === GROUP) this.#join();
  }

  /** All of them as one, which is no copy where there is one only. */
  whole(): Buffer {
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
  }

  clear(): void {
    this.#pieces = [];
    this.#length = this.#newPieces = this.#newBytes = 0;
  }

  #join(): void {
    if (this.#newBytes < GROUP * SMALL_BYTES)
      this.#pieces.push(Buffer.concat(this.#pieces.splice(-GROUP), this.#newBytes));
    this.#newPieces = this.#newBytes = 0;
  }
}
