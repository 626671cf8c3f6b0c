/** In a shorter text what looks like an echo may as well be what comes next: nobody says so much twice by chance. */
const LEAST_CHARACTERS = 8;

/** A piece of a response, which has this text. */
interface Piece {
  readonly text: string;
  /** Whether it says something besides: then no echo follows. */
  readonly isOther: boolean;
}

/**
 * Takes out what a host repeats of the text that it was given to go on with: some have the whole text in their answer, not
 * the rest alone. Pieces are held as long as they could be that.
 */
export class EchoFilter<P extends Piece> {
  readonly #held: P[] = [];
  #heldText = '';
  #isOver: boolean;

  /** @param given the text that the host goes on with. */
  constructor(private readonly given: string) {
    this.#isOver = given.trim().length < LEAST_CHARACTERS;
  }

  /** @returns those pieces about which it is clear, each with the part of its text that is no echo. */
  take(piece: P): readonly P[] {
    if (this.#isOver) return [piece];
    this.#held.push(piece);
    this.#heldText += piece.text;
    const { given } = this;
    if (piece.text !== '' && this.#heldText.startsWith(given)) return this.#withoutEcho();
    // A piece without text, such as the reason to stop, ends what could be one, but for the role in front of all.
    const mayBegin = this.#heldText === '' && !piece.isOther;
    const isEchoSoFar = given.startsWith(this.#heldText) && (piece.text !== '' || mayBegin);
    return isEchoSoFar ? [] : this.rest();
  }

  /** All that is still held, as it came: it was no echo. */
  rest(): readonly P[] {
    this.#isOver = true;
    return this.#held.splice(0);
  }

  #withoutEcho(): readonly P[] {
    let left = this.given.length;
    return this.rest().map((piece) => {
      const text = piece.text.slice(left);
      left = Math.max(0, left - piece.text.length);
      return { ...piece, text };
    });
  }
}
