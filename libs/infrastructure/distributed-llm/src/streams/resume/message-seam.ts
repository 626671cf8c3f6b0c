import { isObject, type JsonObject } from '@morgan/foundation';
import type { EventReading, TokenUsage } from '../../dialects/dialect.ts';
import type { Seam } from './seam.ts';

/** The caller had that of the first response. */
const THINKING = /thinking$/;

/**
 * Joins Anthropic's messages within a block of text: the second response's first text goes on in that block, which ends
 * where there is none.
 */
export class MessageSeam implements Seam {
  /** By how much the second response's indices are moved, from the block on that goes on or follows. */
  #moved: { readonly from: number; readonly by: number } | undefined;

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
  ): readonly JsonObject[] {
    const { type, index } = json;
    if (type === 'ping') return [json];
    if (type === 'message_delta') return [...this.#endOpen(), withUsage(json, before)];
    if (typeof index !== 'number') return [];
    const ended = !this.#moved && type === 'content_block_start' ? this.#begin(json, index) : [];
    if (!ended || !this.#moved || index < this.#moved.from) return [];
    const moved = { ...json, index: index + this.#moved.by };
    if (!isObject(json['delta']) || json['delta']['type'] !== 'text_delta') return [...ended, moved];
    return text === '' ? [] : [{ ...moved, delta: { ...json['delta'], text } }];
  }

  /** @returns what ends the open block; none where the event is not to leave, as its block goes on in the open one. */
  #begin({ content_block: block }: JsonObject, index: number): readonly JsonObject[] | undefined {
    const kind = isObject(block) ? String(block['type']) : '';
    if (THINKING.test(kind)) return undefined;
    if (kind !== 'text') return this.#endOpen(index);
    this.#moved = { from: index, by: this.openIndex - index };
    return undefined;
  }

  /** @param next the second response's block that follows. */
  #endOpen(next = 0): readonly JsonObject[] {
    if (this.#moved) return [];
    this.#moved = { from: next, by: this.openIndex + 1 - next };
    return [{ type: 'content_block_stop', index: this.openIndex }];
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
