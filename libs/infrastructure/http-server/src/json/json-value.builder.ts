import { setImmediate } from 'node:timers/promises';
import { AppError } from '@morgan/foundation';
import { type JsonSpan, piecesOf, textOf } from './json-text.ts';
import type { JsonToken, JsonVisitor } from './json-visitor.ts';

/** Most keys, lists and objects of a body that is built: they cost far more than their bytes. 2,048 pairs have a third of it. */
const MAX_NODES = 10_000;
const MAX_KEY_BYTES = 1_024;

/** A longer text is decoded when everything is there, in pieces of this size, with the event loop free in between. */
const PIECE_BYTES = 256 * 1024;

/** No integer of so many digits is rounded. */
const EXACT_DIGITS = 15;

type Container = unknown[] | Record<string, unknown>;

/** A text that is decoded later; it stands in its own place until then. */
class LongText {
  constructor(
    readonly span: JsonSpan,
    readonly container: Container | undefined,
    readonly key: string | number,
  ) {}
}

/**
 * Builds the value of a JSON text while it arrives, as `JSON.parse` would: what a body of megabytes costs is spread over its
 * pieces, and no part of it holds the event loop for long.
 */
export class JsonValueBuilder implements JsonVisitor {
  readonly #open: Container[] = [];
  readonly #longTexts: LongText[] = [];
  #root: unknown;
  #key = '';
  #nodes = 0;

  /** @throws AppError `body_too_complex` */
  key(token: JsonToken, bytes: Buffer): void {
    this.#countNode();
    if (token.end - token.start > MAX_KEY_BYTES)
      throw new AppError(
        'body_too_complex',
        `The request body has a key of more than ${MAX_KEY_BYTES} bytes.`,
      );
    this.#key = textOf(bytes, token);
  }

  scalar(token: JsonToken, bytes: Buffer): void {
    this.#put(this.#valueOf(token, bytes));
  }

  /** @throws AppError `body_too_complex` */
  open({ kind }: JsonToken): void {
    this.#countNode();
    const container: Container = kind === 'array' ? [] : {};
    this.#put(container);
    this.#open.push(container);
  }

  close(): void {
    this.#open.pop();
  }

  /** The value, at once where no text is long. @param bytes the whole text, which was scanned to its end. */
  finish(bytes: Buffer): unknown {
    return this.#longTexts.length === 0 ? this.#root : this.#decodeLongTexts(bytes);
  }

  async #decodeLongTexts(bytes: Buffer): Promise<unknown> {
    for (const longText of this.#longTexts) {
      const { span, container, key } = longText;
      // Of a field that comes twice the last one counts.
      if ((container ? Reflect.get(container, key) : this.#root) !== longText) continue;
      let text = '';
      for (const piece of piecesOf(bytes, span, PIECE_BYTES)) {
        text += piece;
        await setImmediate();
      }
      if (container) Reflect.set(container, key, text);
      else this.#root = text;
    }
    return this.#root;
  }

  #valueOf(token: JsonToken, bytes: Buffer): unknown {
    const { kind, start, end } = token;
    if (kind === 'string') return end - start > PIECE_BYTES ? this.#later(token) : textOf(bytes, token);
    if (kind === 'number') return numberOf(bytes, token);
    return kind === 'null' ? null : kind === 'true';
  }

  #later({ start, end, escaped }: JsonToken): LongText {
    const container = this.#open.at(-1);
    const key = Array.isArray(container) ? container.length : this.#key;
    const text = new LongText({ start, end, escaped }, container, key);
    this.#longTexts.push(text);
    return text;
  }

  #put(value: unknown): void {
    const container = this.#open.at(-1);
    if (container === undefined) this.#root = value;
    else if (Array.isArray(container)) container.push(value);
    else if (this.#key === '__proto__')
      // A field of the caller like any other, as for `JSON.parse`.
      Object.defineProperty(container, this.#key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    else container[this.#key] = value;
  }

  #countNode(): void {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES)
      throw new AppError(
        'body_too_complex',
        `The request body has more than ${MAX_NODES} keys, lists and objects.`,
      );
  }
}

/** Token ids are read without a text in between: there may be a million of them. */
function numberOf(bytes: Buffer, { start, end }: JsonToken): number {
  const isShort = end - start <= EXACT_DIGITS;
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = (bytes[index] as number) - 0x30;
    if (!isShort || digit < 0 || digit > 9) return Number(bytes.toString('latin1', start, end));
    value = value * 10 + digit;
  }
  return value;
}
