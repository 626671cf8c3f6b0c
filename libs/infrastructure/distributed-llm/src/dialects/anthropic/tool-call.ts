/** What one delta says of a call. */
export interface ToolCallDelta {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly piece: string;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST] = [0x7b, 0x5b, 0x7d, 0x5d];

/** Whether the object that comes in pieces has come to its end. Each character is looked at once, whatever the pieces are. */
class JsonEnd {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #isReached = false;

  get isReached(): boolean {
    return this.#isReached;
  }

  take(piece: string): void {
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (this.#isInText) this.#takeOfText(code);
      else if (code === QUOTE) this.#isInText = true;
      else if (code === OPEN_OBJECT || code === OPEN_LIST) this.#open();
      else if (code === CLOSE_OBJECT || code === CLOSE_LIST) this.#close();
    }
  }

  #takeOfText(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInText = false;
  }

  #open(): void {
    this.#depth += 1;
    this.#isReached = false;
  }

  #close(): void {
    this.#depth -= 1;
    this.#isReached = this.#depth === 0;
  }
}

/** A call of a tool in a stream, as far as it has come. */
export class ToolCall {
  /** Those that its caller has not been told. */
  arguments = '';
  /** Whether its caller knows of it. */
  isTold = false;
  #name: string | undefined;
  readonly #end = new JsonEnd();

  /**
   * @param place among the host's calls: some hosts give all of them the same.
   * @param id as its caller knows it.
   * @param said its id as the host said it, if it did.
   */
  constructor(
    readonly place: unknown,
    readonly id: string,
    private readonly said: string | undefined,
  ) {}

  get name(): string | undefined {
    return this.#name;
  }

  /** Whether a delta at its place begins another call: some hosts give all of them one place, and no ids. */
  isFollowedBy({ id, name, piece }: ToolCallDelta): boolean {
    if (id !== undefined) return id !== this.said;
    const isOther = name !== undefined && this.#name !== undefined && name !== this.#name;
    return isOther || (piece.startsWith('{') && this.#end.isReached);
  }

  take({ name, piece }: Omit<ToolCallDelta, 'id'>): void {
    this.#name ??= name;
    if (!this.isTold) this.arguments += piece;
    this.#end.take(piece);
  }
}
