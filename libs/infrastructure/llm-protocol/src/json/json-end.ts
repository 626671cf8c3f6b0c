const [QUOTE, BACKSLASH, COLON, COMMA, SPACE] = [0x22, 0x5c, 0x3a, 0x2c, 0x20];
const [OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST] = [0x7b, 0x5b, 0x7d, 0x5d];

/** A control character within a text, which JSON has as an escape only. */
const escaped = (code: number) => `\\u${code.toString(16).padStart(4, '0')}`;

/** The object that comes in pieces: whether it has come to its end. Each character is looked at once, whatever the pieces are. */
export class JsonEnd {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #isReached = false;
  #length = 0;
  #hash = 0;
  /** The last character outside of texts, but for white space. */
  #last = 0;

  get isReached(): boolean {
    return this.#isReached;
  }

  /** How many characters have come of it. */
  get length(): number {
    return this.#length;
  }

  /** Whether a value may come next. */
  get wantsValue(): boolean {
    return !this.#isInText && [COLON, COMMA, OPEN_LIST].includes(this.#last);
  }

  /** Of what belongs to it: a short stand-in for a text of any length. */
  get fingerprint(): string {
    return `${this.#length}:${this.#hash}`;
  }

  /**
   * @returns what of the piece belongs to it, with the control characters in its texts as JSON has them: some hosts write line ends
   * as they are.
   */
  take(piece: string): string {
    let [at, from, told] = [0, 0, ''];
    for (; at < piece.length && !this.#isReached; at += 1) {
      const code = piece.charCodeAt(at);
      this.#hash = (Math.imul(this.#hash, 31) + code) | 0;
      if (this.#isInText && code < SPACE)
        [told, from] = [told + piece.slice(from, at) + escaped(code), at + 1];
      if (this.#isInText) this.#takeOfText(code);
      else if (code === QUOTE) this.#isInText = true;
      else if (code === OPEN_OBJECT || code === OPEN_LIST) this.#depth += 1;
      else if (code === CLOSE_OBJECT || code === CLOSE_LIST) this.#close();
      if (!this.#isInText && code > SPACE) this.#last = code;
    }
    this.#length += at;
    return told + piece.slice(from, at);
  }

  #takeOfText(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInText = false;
  }

  #close(): void {
    this.#depth -= 1;
    this.#isReached = this.#depth === 0;
  }
}

/** The JSON of an object with the control characters in its texts as JSON has them. */
export function withEscapes(json: string): string {
  const end = new JsonEnd();
  return end.take(json) + json.slice(end.length);
}
