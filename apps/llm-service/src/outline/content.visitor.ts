import { isText, type JsonToken } from '@morgan/http-server';
import { type BodyContent, PromptEstimate } from '@morgan/llm-protocol';

/** What says of a part that it is an image, in chat completions, responses and messages. */
const IMAGE_TYPES = ['image_url', 'input_image', 'image'] as const;
const LONGEST_TYPE = Math.max(...IMAGE_TYPES.map(({ length }) => length));
const TYPE = 'type';
const DATA = 'data';
/** Of a key that may be one of these: every character may be written as six bytes. */
const LONGEST_KEY_BYTES = 4 * 6;

/** Sees what a body holds, whatever its dialect: each text as it goes by, so that nobody has to search megabytes for it. */
export class ContentVisitor {
  readonly #estimate = new PromptEstimate();
  #key: string | undefined;
  #hasImage = false;

  key(token: JsonToken, bytes: Buffer): void {
    this.#key = undefined;
    if (token.end - token.start > LONGEST_KEY_BYTES) return;
    if (isText(bytes, token, TYPE)) this.#key = TYPE;
    else if (isText(bytes, token, DATA)) this.#key = DATA;
  }

  scalar(token: JsonToken, bytes: Buffer): void {
    const { kind, start, end } = token;
    if (kind !== 'string') return;
    if (end - start > LONGEST_TYPE) this.#estimate.text(bytes, start, end, this.#key);
    else if (this.#key === TYPE) this.#hasImage ||= IMAGE_TYPES.some((type) => isText(bytes, token, type));
  }

  open(): void {
    this.#key = undefined;
  }

  of(bytes: Buffer): BodyContent {
    return { promptTokens: this.#estimate.tokens(bytes.length), vision: this.#hasImage };
  }
}
