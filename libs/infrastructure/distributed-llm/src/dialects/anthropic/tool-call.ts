import { JoinedText } from '../../streams/joined-text.ts';

/** What one delta says of a call. */
export interface ToolCallDelta {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly piece: string;
}

const [QUOTE, BACKSLASH, COLON, COMMA, SPACE] = [0x22, 0x5c, 0x3a, 0x2c, 0x20];
const [OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST] = [0x7b, 0x5b, 0x7d, 0x5d];
const OBJECT = /^\s*\{/;

/** The object that comes in pieces: whether it has come to its end. Each character is looked at once, whatever the pieces are. */
class JsonEnd {
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

  /** @returns how much of the piece belongs to it. */
  take(piece: string): number {
    let at = 0;
    for (; at < piece.length && !this.#isReached; at += 1) {
      const code = piece.charCodeAt(at);
      this.#hash = (Math.imul(this.#hash, 31) + code) | 0;
      if (this.#isInText) this.#takeOfText(code);
      else if (code === QUOTE) this.#isInText = true;
      else if (code === OPEN_OBJECT || code === OPEN_LIST) this.#depth += 1;
      else if (code === CLOSE_OBJECT || code === CLOSE_LIST) this.#close();
      if (!this.#isInText && code > SPACE) this.#last = code;
    }
    this.#length += at;
    return at;
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

function fingerprintOf(text: string): string {
  const end = new JsonEnd();
  end.take(text);
  return end.fingerprint;
}

/** A call of a tool in a stream, as far as it has come. */
export class ToolCall {
  /** Whether its caller knows of it. */
  isTold = false;
  #name: string | undefined;
  /** What its arguments begin with, but for white space. */
  #opening: string | undefined;
  /** Whether its host repeats with each piece what came before it. */
  #isRepeating = false;
  readonly #untold = new JoinedText();
  readonly #end = new JsonEnd();

  /**
   * @param place among the host's calls: some hosts give all of them the same.
   * @param id as its caller knows it.
   * @param said its id as the host said it, if it did.
   */
  constructor(
    readonly place: unknown,
    readonly id: string,
    readonly said: string | undefined,
  ) {}

  get name(): string | undefined {
    return this.#name;
  }

  /** Those of its arguments that its caller has not been told. */
  get arguments(): string {
    return this.#untold.text;
  }

  /** Whether its arguments have come to their end. */
  get isOver(): boolean {
    return this.#end.isReached;
  }

  /** The same, or they are none. */
  get isWhole(): boolean {
    return this.isOver || this.#opening === undefined;
  }

  /** Whether its arguments are an object as far as they have come. */
  get isObject(): boolean {
    return this.#opening === '{';
  }

  /**
   * Whether a delta at its place begins another call. Some hosts give all calls one place, with ids, without, or with the
   * same one; some give one call another id with each delta; some repeat it as a whole at its end, under its id or under
   * nothing.
   */
  isFollowedBy({ id, name, piece }: ToolCallDelta): boolean {
    const isOther = name !== undefined && this.#name !== undefined && name !== this.#name;
    const isSame = id === undefined ? name === undefined : id === this.said;
    if (isOther && (!isSame || this.isWhole)) return true;
    if (name !== undefined && id !== undefined && !isSame) return true;
    if (!this.#end.isReached || !OBJECT.test(piece)) return false;
    return !isSame || fingerprintOf(piece) !== this.#end.fingerprint;
  }

  /** What stands behind the end of the object is no part of it. @returns whether another one begins there. */
  take({ name, piece: said }: Omit<ToolCallDelta, 'id'>): boolean {
    this.#name ??= name;
    const isRepeated = this.#end.isReached;
    const piece = said.slice(this.#repeatedIn(said));
    const length = this.#end.take(piece);
    this.#opening ??= /\S/.exec(piece)?.[0];
    this.#untold.add(piece.slice(0, length));
    return !isRepeated && OBJECT.test(piece.slice(length));
  }

  /**
   * How much of a piece has come before: some hosts send the arguments anew each time, as far as they have come. Where an object
   * could stand within the arguments, a piece that begins as they do may be one.
   */
  #repeatedIn(piece: string): number {
    const { length, isReached, wantsValue, fingerprint } = this.#end;
    if (length === 0 || isReached || piece.length < length || !OBJECT.test(piece)) return 0;
    if (wantsValue && !this.#isRepeating) return 0;
    this.#isRepeating = fingerprintOf(piece.slice(0, length)) === fingerprint;
    return this.#isRepeating ? length : 0;
  }

  /** What its caller is told now. */
  told(): string {
    const piece = this.arguments;
    this.#untold.clear();
    this.isTold = true;
    return piece;
  }
}
