/** What one delta says of a call. */
export interface ToolCallDelta {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly piece: string;
}

/** A call of a tool in a stream, as far as it has come. */
export class ToolCall {
  arguments = '';
  /** Whether its caller knows of it. */
  isTold = false;
  #name: string | undefined;

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
    return isOther || (piece.startsWith('{') && this.arguments.endsWith('}') && isWholeJson(this.arguments));
  }

  take({ name, piece }: Omit<ToolCallDelta, 'id'>): void {
    this.#name ??= name;
    this.arguments += piece;
  }
}

function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
