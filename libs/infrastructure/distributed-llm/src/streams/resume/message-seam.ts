import type { EventReading, TokenUsage } from '../../dialects/dialect.ts';
import { isObject, type JsonObject } from '../../dialects/reported-error.ts';
import type { Seam } from './seam.ts';

/** Joins Anthropic's messages within a block of text: the second response's first text goes on in that block. */
export class MessageSeam implements Seam {
  /** Where the second response's text block is; the blocks before it are thinking, which the caller had of the first. */
  #textIndex: number | undefined;

  private constructor(private readonly openIndex: number) {}

  /** None unless a block of text is open behind this event. */
  static behind({ type, index, content_block: block, delta }: JsonObject): MessageSeam | undefined {
    const isText = isObject(delta) && delta['type'] === 'text_delta';
    const isStart = type === 'content_block_start' && isObject(block) && block['type'] === 'text';
    return (isText || isStart) && typeof index === 'number' ? new MessageSeam(index) : undefined;
  }

  join(
    json: JsonObject,
    _reading: EventReading,
    text: string,
    before: TokenUsage | undefined,
  ): JsonObject | undefined {
    const { type, index } = json;
    if (type === 'ping') return json;
    if (type === 'message_delta') return withUsage(json, before);
    if (typeof index !== 'number') return undefined;
    if (type === 'content_block_start' && this.#textIndex === undefined) return this.#openText(json, index);
    if (this.#textIndex === undefined || index < this.#textIndex) return undefined;
    const moved = { ...json, index: index - this.#textIndex + this.openIndex };
    if (!isObject(json['delta']) || json['delta']['type'] !== 'text_delta') return moved;
    return text === '' ? undefined : { ...moved, delta: { ...json['delta'], text } };
  }

  #openText({ content_block: block }: JsonObject, index: number): undefined {
    if (isObject(block) && block['type'] === 'text') this.#textIndex = index;
  }
}

/** Anthropic's last counts are those of the whole message. */
function withUsage(json: JsonObject, before: TokenUsage | undefined): JsonObject {
  const { usage } = json;
  if (!isObject(usage)) return json;
  const { input_tokens: input, output_tokens: output } = usage;
  return {
    ...json,
    usage: {
      ...usage,
      ...(typeof input === 'number' && { input_tokens: input + (before?.input ?? 0) }),
      ...(typeof output === 'number' && { output_tokens: output + (before?.output ?? 0) }),
    },
  };
}
