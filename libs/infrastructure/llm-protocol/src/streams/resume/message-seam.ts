import { isObject, type JsonObject } from '@morgan/foundation';
import type { EventReading, TokenUsage } from '../../dialects/dialect.ts';
import type { FreshText, Seam } from './seam.ts';

type Kind = 'text' | 'thought' | 'other';

/** Blocks that another host can go on behind, and what comes in them. */
const KINDS: ReadonlyMap<unknown, Kind> = new Map([
  ['text', 'text'],
  ['text_delta', 'text'],
  ['citations_delta', 'text'],
  ['thinking', 'thought'],
  ['thinking_delta', 'thought'],
  ['signature_delta', 'thought'],
  ['redacted_thinking', 'thought'],
]);

/**
 * Joins Anthropic's messages: the second response's first text goes on in the block of text that is open, or follows the last
 * block. Thoughts are those of the first response.
 */
export class MessageSeam implements Seam {
  /** The block of the second response that is being read; none where nothing of it leaves. */
  #block: { readonly start: JsonObject; isTold: boolean } | undefined;
  /** What the second response says of its prompt at its beginning. */
  #counted: JsonObject = {};

  /**
   * @param open the block that is open for the caller.
   * @param last the index of the caller's last block.
   * @param isEmpty whether nothing has come in it: Anthropic refuses a conversation with an empty text.
   */
  private constructor(
    private open: Kind | undefined,
    private last: number,
    private isEmpty: boolean,
  ) {}

  /** None where this event is of a block that cannot be gone on behind. */
  static behind({ type, index, content_block: block, delta }: JsonObject): MessageSeam | undefined {
    if (typeof index !== 'number') return undefined;
    if (type === 'content_block_stop') return new MessageSeam(undefined, index, false);
    const isStart = type === 'content_block_start';
    const said = isStart ? block : delta;
    const kind = isObject(said) ? KINDS.get(said['type']) : undefined;
    return kind && new MessageSeam(kind, index, isStart);
  }

  join(
    json: JsonObject,
    _reading: EventReading,
    fresh: FreshText,
    before: TokenUsage | undefined,
  ): readonly JsonObject[] {
    const { type, index, message } = json;
    if (type === 'ping') return [json];
    if (isObject(message) && isObject(message['usage'])) this.#counted = message['usage'];
    if (type === 'message_delta') return [...this.#close(), this.#withUsage(json, before)];
    if (typeof index !== 'number') return [];
    if (type === 'content_block_start') return this.#begin(json, fresh);
    return type === 'content_block_stop' ? this.#end(fresh) : this.#change(json, fresh);
  }

  #begin(start: JsonObject, { isRepeating }: FreshText): readonly JsonObject[] {
    const block = start['content_block'];
    const kind = (isObject(block) ? KINDS.get(block['type']) : undefined) ?? 'other';
    this.#block = kind === 'thought' ? undefined : { start, isTold: !isRepeating };
    if (kind === 'thought' || isRepeating) return [];
    return kind === 'text' && this.open === 'text' ? [] : this.#open(start, kind);
  }

  #change(json: JsonObject, { text }: FreshText): readonly JsonObject[] {
    const { delta } = json;
    const isText = isObject(delta) && delta['type'] === 'text_delta';
    const block = this.#block;
    // What belongs to a text that is repeated was sent with it.
    if (!block || (isText ? text === '' : !block.isTold)) return [];
    const opening = block.isTold || this.open === 'text' ? [] : this.#open(block.start, 'text');
    block.isTold = true;
    this.isEmpty = false;
    return [...opening, { ...json, index: this.last, ...(isText && { delta: { ...delta, text } }) }];
  }

  #end({ isRepeating }: FreshText): readonly JsonObject[] {
    const block = this.#block;
    this.#block = undefined;
    const isOver = block && !isRepeating && (block.isTold || !this.isEmpty);
    return isOver ? this.#close() : [];
  }

  #open(start: JsonObject, kind: Kind): readonly JsonObject[] {
    const closed = this.#close();
    this.open = kind;
    this.last += 1;
    return [...closed, { ...start, index: this.last }];
  }

  #close(): readonly JsonObject[] {
    if (this.open === undefined) return [];
    this.open = undefined;
    return [{ type: 'content_block_stop', index: this.last }];
  }

  /** Anthropic's last counts are those of the whole message. Some hosts count the prompt at the beginning only. */
  #withUsage(json: JsonObject, before: TokenUsage | undefined): JsonObject {
    if (!isObject(json['usage']) || !before) return json;
    const { input = 0, output = 0, cachedInput: cached } = before;
    const usage = { ...promptOf(this.#counted), ...json['usage'] };
    const isCached = 'cache_read_input_tokens' in usage || cached !== undefined;
    return {
      ...json,
      usage: {
        ...usage,
        ...sum(usage, 'input_tokens', input - (cached ?? 0)),
        ...sum(usage, 'output_tokens', output),
        // Else the first response's own, which are among these, would still count.
        ...(isCached &&
          sum({ cache_read_input_tokens: 0, ...usage }, 'cache_read_input_tokens', cached ?? 0)),
        ...(isCached && { cache_creation_input_tokens: usage['cache_creation_input_tokens'] ?? 0 }),
      },
    };
  }
}

function promptOf({
  input_tokens: input,
  cache_read_input_tokens: read,
  cache_creation_input_tokens: made,
}: JsonObject): JsonObject {
  return {
    ...(typeof input === 'number' && { input_tokens: input }),
    ...(typeof read === 'number' && { cache_read_input_tokens: read }),
    ...(typeof made === 'number' && { cache_creation_input_tokens: made }),
  };
}

function sum(usage: JsonObject, field: string, more: number): JsonObject {
  const count = usage[field];
  return typeof count === 'number' ? { [field]: count + more } : {};
}
