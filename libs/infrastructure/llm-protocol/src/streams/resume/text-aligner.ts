/**
 * Lines a second response up with what was already sent of the first: its text is consumed as long as it repeats that, and
 * what comes after is new. Hosts differ in the white space that they leave at both ends of an answer: that is no difference.
 */
export class TextAligner {
  #consumed = 0;
  /** Nothing but white space of the second response has come. */
  #isBlank = true;

  /** @param sent the text that the caller has. */
  constructor(private readonly sent: string) {}

  /** Whether everything that was sent has been repeated, but for white space at its end. */
  get isAligned(): boolean {
    return this.#consumed === this.sent.length || this.sent.slice(this.#consumed).trim() === '';
  }

  /** The new part of a piece of text, empty while it repeats; undefined when it says something else. */
  take(text: string): string | undefined {
    const wasBlank = this.#isBlank;
    this.#isBlank &&= text.trim() === '';
    const fresh = this.#match(text);
    if (fresh !== undefined || !wasBlank) return fresh;
    this.#consumed = this.sent.length - this.sent.trimStart().length;
    return this.#match(text.trimStart());
  }

  #match(text: string): string | undefined {
    const left = this.sent.length - this.#consumed;
    if (left === 0) return text;
    const repeated = text.slice(0, left);
    if (!this.sent.startsWith(repeated, this.#consumed)) return undefined;
    this.#consumed += repeated.length;
    return text.slice(left);
  }
}
