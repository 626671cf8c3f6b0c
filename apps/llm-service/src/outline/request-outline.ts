import type { JsonObject } from '@morgan/foundation';
import { beginningOf, type JsonKind, type JsonSpan } from '@morgan/http-server';
import { type BodyContent, BodyFacts, type ValueSpan } from '@morgan/llm-protocol';
import type { MessageListVisitor } from './message-list.visitor.ts';
import type { PromptVisitor } from './prompt.visitor.ts';

/** Fields that hold an answer to a form: OpenAI's and Anthropic's, then those of vLLM, SGLang and llama.cpp. */
const FORM_FIELDS = [
  'response_format',
  'output_config',
  'output_format',
  'structured_outputs',
  'guided_json',
  'guided_regex',
  'guided_choice',
  'guided_grammar',
  'regex',
  'ebnf',
  'grammar',
  'json_schema',
] as const;

const LENGTH_FIELDS = ['max_tokens', 'max_completion_tokens'] as const;

/** Top-level fields of a request that the gateway looks at; whatever else there is passes unseen. */
export const OUTLINED_FIELDS = [
  'model',
  'stream',
  'messages',
  'prompt',
  'input',
  'user',
  'prompt_cache_key',
  ...LENGTH_FIELDS,
  'tools',
  'n',
  'stream_options',
  'previous_response_id',
  ...FORM_FIELDS,
] as const;

export type OutlinedField = (typeof OUTLINED_FIELDS)[number];

/** A top-level field: what it is, and at which bytes of the body. Of fields that come twice the last one counts. */
export interface FieldSpan extends JsonSpan {
  readonly kind: JsonKind;
}

/** What a scan of a body has found. */
export interface OutlineParts {
  readonly isObject: boolean;
  /** A field that comes twice, or in another case: hosts differ in which of them they take. */
  readonly ambiguous: OutlinedField | undefined;
  readonly fields: ReadonlyMap<OutlinedField, FieldSpan>;
  readonly content: BodyContent;
  /** Where `messages` is a list. */
  readonly messages: MessageListVisitor | undefined;
  /** Where `prompt` is a list. */
  readonly prompt: PromptVisitor | undefined;
}

/** No text of more bytes is decoded to be compared or kept: a model's name has no such length. */
const MAX_TEXT_BYTES = 4096;

/**
 * A request as far as the gateway must know it, beside its bytes: where its fields stand, and what they say where that is
 * short. It is not checked: that is for each endpoint.
 */
export class RequestOutline {
  constructor(
    /** The body as it came, decoded if it was compressed. */
    readonly bytes: Buffer,
    readonly parts: OutlineParts,
  ) {}

  /** The text of `model`, if it is one. */
  get model(): string | undefined {
    return this.textOf('model');
  }

  get stream(): boolean {
    return this.kindOf('stream') === 'true';
  }

  /** What a field is; undefined: it is not there. */
  kindOf(field: OutlinedField): JsonKind | undefined {
    return this.parts.fields.get(field)?.kind;
  }

  /** Where the value of a field stands in {@link bytes}; a text between its quotes. */
  spanOf(field: OutlinedField): FieldSpan | undefined {
    return this.parts.fields.get(field);
  }

  /** A field's text, of at most 4096 bytes; undefined where it is no text. */
  textOf(field: OutlinedField): string | undefined {
    const span = this.parts.fields.get(field);
    return span?.kind === 'string' ? beginningOf(this.bytes, span, MAX_TEXT_BYTES) : undefined;
  }

  /** The number in a field; undefined where it is none. */
  numberOf(field: OutlinedField): number | undefined {
    const span = this.parts.fields.get(field);
    if (span?.kind !== 'number' || span.end - span.start > MAX_TEXT_BYTES) return undefined;
    return Number(this.bytes.toString('latin1', span.start, span.end));
  }

  /** Whether the caller asked for the token counts of a stream, or may have: options of kilobytes are not looked into. */
  get wantsUsage(): boolean {
    const span = this.parts.fields.get('stream_options');
    if (span?.kind !== 'object') return false;
    if (span.end - span.start > MAX_TEXT_BYTES) return true;
    return /"include_usage"\s*:\s*true/.test(this.bytes.toString('latin1', span.start, span.end));
  }

  /** Whether they can be asked for beside what the caller says there: not where that is nothing that could be said, or too much to be read. */
  get lacksUsage(): boolean {
    const kind = this.kindOf('stream_options') ?? 'null';
    return !this.wantsUsage && (kind === 'null' || kind === 'object');
  }

  /** What routing needs to know of the body. */
  get facts(): BodyFacts {
    const { fields, content } = this.parts;
    const spanOf = (field: string): ValueSpan | undefined => {
      const span = fields.get(field as OutlinedField);
      if (!span) return undefined;
      const quotes = span.kind === 'string' ? 1 : 0;
      return [span.start - quotes, span.end + quotes];
    };
    return new BodyFacts(this.bytes, spanOf, content);
  }

  /** How many choices the response has: so many of each prompt. Hosts that take an `n` below 1 give one. */
  get choices(): number {
    const { prompt } = this.parts;
    return Math.max(1, this.numberOf('n') ?? 1) * (prompt?.isSeveral ? prompt.count : 1);
  }

  /** How many tokens the response may have, as far as is said: for some hosts -1 is no limit. */
  get mostTokens(): number {
    const said = LENGTH_FIELDS.map((field) => this.numberOf(field) ?? 0);
    return Math.min(...said.filter((most) => most > 0));
  }

  /** Whether the answer has to have a certain form, which half of it has not. */
  get isStructured(): boolean {
    return FORM_FIELDS.some((field) => this.has(field) && !this.#saysNoForm(field));
  }

  /** Many clients always say that a text may be any text; Anthropic's say how much effort it is worth in the same place. */
  #saysNoForm(field: (typeof FORM_FIELDS)[number]): boolean {
    const span = this.parts.fields.get(field);
    if (span?.kind !== 'object' || span.end - span.start > MAX_TEXT_BYTES) return false;
    const said = JSON.parse(this.bytes.toString('utf8', span.start, span.end)) as JsonObject;
    if (field === 'response_format') return said['type'] === 'text';
    return field === 'output_config' && (said['format'] ?? null) === null;
  }

  /** Whether a field is there and says something. */
  has(field: OutlinedField): boolean {
    const kind = this.kindOf(field);
    return kind !== undefined && kind !== 'null';
  }
}
