/**
 * Lines a second response up with what was already sent of the first: its text is consumed as long as it repeats that, and
 * what comes after is new.
 */
export class TextAligner {
  #consumed = 0;

  /** @param sent the text that the caller has. */
  constructor(private readonly sent: string) {}

  /** Whether everything that was sent has been repeated. */
  get isAligned(): boolean {
    return this.#consumed === this.sent.length;
  }

  /** The new part of a piece of text, empty while it repeats; undefined when it says something else. */
  take(text: string): string | undefined {
    const left = this.sent.length - this.#consumed;
    if (left === 0) return text;
    const repeated = text.slice(0, left);
    if (!this.sent.startsWith(repeated, this.#consumed)) return undefined;
    this.#consumed += repeated.length;
    return text.slice(left);
  }
}
