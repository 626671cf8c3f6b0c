import { JoinedText } from '@morgan/foundation';
import { JsonEnd } from '../../json/json-end.ts';

/** What one delta says of a call. */
export interface ToolCallDelta {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly piece: string;
}

const OBJECT = /^\s*\{/;
/** Some hosts say it in the place of arguments that are still to come. */
const EMPTY_OBJECT = /^\s*\{\s*\}\s*$/;

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
  #end = new JsonEnd();

  /**
   * @param place among the host's calls: some hosts give all of them the same.
   * @param id as its caller knows it.
   * @param said its id as the host said it, if it did.
   */
  constructor(
    readonly place: string,
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
    if (isSame && name === undefined && this.#isPlaceholder) return false;
    return !isSame || fingerprintOf(piece) !== this.#end.fingerprint;
  }

  /** What stands behind the end of the object is no part of it. @returns whether another one begins there. */
  take({ name, piece: said }: Omit<ToolCallDelta, 'id'>): boolean {
    this.#name ??= name;
    if (this.#isPlaceholder && OBJECT.test(said)) this.#beginAgain();
    const isRepeated = this.#end.isReached;
    const piece = said.slice(this.#repeatedIn(said));
    const before = this.#end.length;
    this.#untold.add(this.#end.take(piece));
    this.#opening ??= /\S/.exec(piece)?.[0];
    return !isRepeated && OBJECT.test(piece.slice(this.#end.length - before));
  }

  /** Whether its arguments are an object without a field, of which its caller knows nothing yet. */
  get #isPlaceholder(): boolean {
    return this.isOver && EMPTY_OBJECT.test(this.arguments);
  }

  #beginAgain(): void {
    this.#untold.clear();
    this.#end = new JsonEnd();
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

  /** What its caller is told now: not of an object without a field, as long as others may come. */
  told(): string {
    this.isTold = true;
    return this.#isPlaceholder ? '' : this.rest();
  }

  /** What its caller is told at its end. */
  rest(): string {
    const piece = this.arguments;
    this.#untold.clear();
    return piece;
  }
}
