/** A name in which `*` stands for any text, none included. */
export class Glob {
  readonly #start: string;
  readonly #middle: readonly string[];
  readonly #end: string | undefined;

  constructor(glob: string) {
    const [start = '', ...rest] = glob.split('*');
    this.#start = start;
    this.#end = rest.pop();
    this.#middle = rest;
  }

  /** Whether a text fits: each part at its first place behind the one before. Callers choose the text: its length is all it costs. */
  fits(text: string): boolean {
    if (this.#end === undefined) return text === this.#start;
    if (!text.startsWith(this.#start)) return false;
    let at = this.#start.length;
    for (const part of this.#middle) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - this.#end.length >= at && text.endsWith(this.#end);
  }
}
