/** In a shorter text what looks like an echo may as well be what comes next: nobody says so much twice by chance. */
const LEAST_CHARACTERS = 8;
/** The longest piece that a text may consist of, again and again. */
const LONGEST_REPEATED = 256;
/** No host says so much in front of its text, or between the pieces of one that it repeats. */
const MOST_HELD = 10_000;

/** A piece of a response, which has this text. */
interface Piece {
  readonly text: string;
  /** Whether it has something else, or the end: what could be an echo is over then. */
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
    this.#isOver = given.trim().length < LEAST_CHARACTERS || repeatsItself(given);
  }

  /** @returns those pieces about which it is clear, each with the part of its text that is no echo. */
  take(piece: P): readonly P[] {
    if (this.#isOver) return [piece];
    this.#held.push(piece);
    this.#heldText += piece.text;
    const { given } = this;
    if (piece.text !== '' && this.#heldText.startsWith(given)) return this.#withoutEcho();
    const mayBeEcho = !piece.isOther && given.startsWith(this.#heldText);
    return mayBeEcho && this.#held.length < MOST_HELD ? [] : this.rest();
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

/** Whether a text says one thing again and again: then what comes next looks like an echo, and most hosts have none. */
function repeatsItself(text: string): boolean {
  const longest = Math.min(LONGEST_REPEATED, text.length / 2);
  for (let length = 1; length <= longest; length += 1) if (text.startsWith(text.slice(length))) return true;
  return false;
}
