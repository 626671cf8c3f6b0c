/** Pieces that are joined at a time. */
const PIECES = 128;

/** A text that comes in pieces of its host's choice: thousands of tokens, or of single characters, are not kept as thousands of objects. */
export class JoinedText {
  #whole = '';
  #pieces: string[] = [];

  add(piece: string): void {
    if (this.#pieces.push(piece) >= PIECES) this.#join();
  }

  /** All of it. */
  get text(): string {
    this.#join();
    return this.#whole;
  }

  clear(): void {
    this.#whole = '';
    this.#pieces = [];
  }

  #join(): void {
    this.#whole += this.#pieces.join('');
    this.#pieces = [];
  }
}
