import {
  type BodyAssembly,
  type BodyFormat,
  JsonScanner,
  type JsonToken,
  type JsonVisitor,
  textOf,
} from '@morgan/http-server';
import { ContentVisitor } from './content.visitor.ts';
import { MessageListVisitor } from './message-list.visitor.ts';
import { PromptVisitor } from './prompt.visitor.ts';
import {
  type FieldSpan,
  OUTLINED_FIELDS,
  type OutlinedField,
  type OutlineParts,
  RequestOutline,
} from './request-outline.ts';

const FIELDS: ReadonlySet<string> = new Set(OUTLINED_FIELDS);
const LONGEST_NAME = Math.max(...OUTLINED_FIELDS.map(({ length }) => length));

/**
 * Hosts written in Go know these by any case (also with ſ for s), and may take another model than the one routed by, or go on with a
 * response that is another caller's.
 */
const FOLDED: ReadonlyMap<string, OutlinedField> = new Map([
  ['MODEL', 'model'],
  ['STREAM', 'stream'],
  ['PREVIOUS_RESPONSE_ID', 'previous_response_id'],
]);

/** Of an escaped name: every character may be written as six bytes. */
const LONGEST_NAME_BYTES = LONGEST_NAME * 6;

/** JSON bodies of requests to hosts: `request.body` is a {@link RequestOutline}. */
export const OUTLINE: BodyFormat = {
  begin: () => new OutlineAssembly(),
};

/** The outline of a JSON text that is here as a whole, and known to be one. */
export function outlineOf(json: Buffer): RequestOutline {
  const assembly = new OutlineAssembly();
  const scanner = new JsonScanner(assembly, { maxDepth: Infinity, maxValues: Infinity });
  scanner.advance(json, json.length);
  scanner.finish(json);
  return assembly.finish(json);
}

/** Notes the top-level fields as they go by. */
class OutlineAssembly implements BodyAssembly, JsonVisitor {
  readonly visitor = this;
  readonly #fields = new Map<OutlinedField, FieldSpan>();
  readonly #content = new ContentVisitor();
  #isObject = false;
  #ambiguous: OutlinedField | undefined;
  #field: OutlinedField | undefined;
  #start = 0;
  #messages: MessageListVisitor | undefined;
  #prompt: PromptVisitor | undefined;
  /** Sees what is inside of the current field. */
  #inside: JsonVisitor | undefined;

  finish(bytes: Buffer): RequestOutline {
    const parts: OutlineParts = {
      isObject: this.#isObject,
      ambiguous: this.#ambiguous,
      fields: this.#fields,
      content: this.#content.of(bytes),
      messages: this.#messages,
      prompt: this.#prompt,
    };
    return new RequestOutline(bytes, parts);
  }

  key(token: JsonToken, bytes: Buffer): void {
    this.#content.key(token, bytes);
    if (token.depth > 1) this.#inside?.key(token, bytes);
    else this.#take(nameOf(token, bytes));
  }

  #take(name: string): void {
    this.#field = FIELDS.has(name) ? (name as OutlinedField) : undefined;
    const folded = this.#field ?? FOLDED.get(name.toUpperCase());
    if (this.#field === undefined || this.#fields.has(this.#field)) this.#ambiguous ??= folded;
  }

  scalar(token: JsonToken, bytes: Buffer): void {
    this.#content.scalar(token, bytes);
    if (token.depth > 1) this.#inside?.scalar(token, bytes);
    else if (token.depth === 1) this.#note(token);
  }

  open(token: JsonToken, bytes: Buffer): void {
    this.#content.open();
    if (token.depth > 1) this.#inside?.open(token, bytes);
    else if (token.depth === 0) this.#isObject = token.kind === 'object';
    else {
      this.#note(token);
      this.#start = token.start;
      if (token.kind === 'array') this.#inside = this.#visitorOf(this.#field);
    }
  }

  close(token: JsonToken, bytes: Buffer): void {
    if (token.depth > 1) this.#inside?.close(token, bytes);
    else if (token.depth === 1) {
      this.#inside = undefined;
      const { kind, end } = token;
      if (this.#field) this.#fields.set(this.#field, { kind, start: this.#start, end, escaped: false });
    }
  }

  #note({ kind, start, end, escaped }: JsonToken): void {
    const field = this.#field;
    if (field === undefined) return;
    this.#fields.set(field, { kind, start, end, escaped });
    if (field === 'messages') this.#messages = undefined;
    else if (field === 'prompt') this.#prompt = undefined;
  }

  #visitorOf(field: OutlinedField | undefined): JsonVisitor | undefined {
    if (field === 'messages') return (this.#messages = new MessageListVisitor());
    if (field === 'prompt') return (this.#prompt = new PromptVisitor());
    return undefined;
  }
}

/** Empty where it is longer than any that is known. */
function nameOf(token: JsonToken, bytes: Buffer): string {
  const { start, end, escaped } = token;
  if (end - start > (escaped ? LONGEST_NAME_BYTES : LONGEST_NAME)) return '';
  return escaped ? textOf(bytes, token) : bytes.toString('utf8', start, end);
}
