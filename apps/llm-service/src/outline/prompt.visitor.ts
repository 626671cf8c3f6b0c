import type { AppError } from '@morgan/foundation';
import type { JsonKind, JsonToken, JsonVisitor } from '@morgan/http-server';
import { wrongType } from './body-fault.ts';

/** Depths inside of `prompt`, which is itself a field of the body. */
const ELEMENT = 2;
const TOKEN_ID = 3;

/** What the first element of a prompt makes of it. */
const EXPECTED = { string: 'string', number: 'integer', array: 'array' } as const;

/** Sees a prompt that is a list: texts, token ids, or lists of token ids, by its first element. */
export class PromptVisitor implements JsonVisitor {
  count = 0;
  fault: AppError | undefined;
  #kind: keyof typeof EXPECTED | undefined;
  #inner = 0;

  /** Whether it is several prompts, and not the tokens of one. */
  get isSeveral(): boolean {
    return this.#kind !== 'number';
  }

  key(): void {
    // Where a key can stand, the object around it is the fault.
  }

  scalar(token: JsonToken, bytes: Buffer): void {
    if (token.depth === ELEMENT) this.#element(token, bytes);
    else if (token.depth === TOKEN_ID) this.#tokenId(token, bytes);
  }

  open(token: JsonToken, bytes: Buffer): void {
    if (token.depth === TOKEN_ID) this.#tokenId(token, bytes);
    else if (token.depth === ELEMENT) {
      this.#inner = 0;
      this.#element(token, bytes);
    }
  }

  close(): void {
    // What is in a list has been seen by then.
  }

  #element(token: JsonToken, bytes: Buffer): void {
    this.#kind ??= kindOf(token.kind);
    const fits = token.kind === this.#kind && (token.kind !== 'number' || isInteger(token, bytes));
    if (!fits) this.fault ??= wrongType(`prompt[${this.count}]`, EXPECTED[this.#kind], token.kind);
    this.count += 1;
  }

  #tokenId(token: JsonToken, bytes: Buffer): void {
    if (token.kind !== 'number' || !isInteger(token, bytes))
      this.fault ??= wrongType(`prompt[${this.count - 1}][${this.#inner}]`, 'integer', token.kind);
    this.#inner += 1;
  }
}

function kindOf(first: JsonKind): keyof typeof EXPECTED {
  return first === 'number' || first === 'array' ? first : 'string';
}

/** `1.0` and `1e3` are integers too. */
function isInteger({ start, end }: JsonToken, bytes: Buffer): boolean {
  // Any longer one is beyond the safe integers, or written in a way that no client writes a token id.
  return end - start <= 32 && Number.isSafeInteger(Number(bytes.toString('latin1', start, end)));
}
