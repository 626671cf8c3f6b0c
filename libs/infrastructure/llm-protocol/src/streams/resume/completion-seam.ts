import { isObject, type JsonObject } from '@morgan/foundation';
import type { EventReading, TokenUsage } from '../../dialects/dialect.ts';
import { OF_THOUGHT } from '../../dialects/openai-shapes.ts';
import { StreamFault } from '../../sse/stream-fault.ts';
import type { FreshText, Seam } from './seam.ts';

/** Joins chat and text completions. The field `model` tells the truth of each part. */
export class CompletionSeam implements Seam {
  readonly #head: JsonObject;

  constructor({ id, created }: JsonObject) {
    this.#head = { id, ...(created !== undefined && { created }) };
  }

  join(
    json: JsonObject,
    { content, isUsageOnly, finished, usage }: EventReading,
    { text }: FreshText,
    before: TokenUsage | undefined,
  ): readonly JsonObject[] {
    const counted = usage && isObject(json['usage']) && { usage: added(json['usage'], before) };
    if (isUsageOnly) return [{ ...json, ...this.#head, ...counted }];
    const isNew = (content === 'text' && text !== '') || content === 'tool' || content === 'other';
    const isCount = content === undefined && Boolean(counted);
    if (!isNew && !isCount && finished === 0) return [];
    const choices = (json['choices'] as unknown[])
      .filter(isObject)
      .map((choice) => joinChoice(choice, content, text));
    return [{ ...json, ...this.#head, choices, ...counted }];
  }
}

/** Takes away what was sent before: the role, the reasoning, and the part of the text that repeats. */
function joinChoice(choice: JsonObject, content: EventReading['content'], text: string): JsonObject {
  if ('text' in choice) return choice['text'] === text ? choice : { ...withoutTokens(choice, text), text };
  if (!isObject(choice['delta'])) return choice;
  const delta = Object.fromEntries(
    Object.entries(choice['delta']).filter(([field]) => field !== 'role' && !OF_THOUGHT.test(field)),
  );
  if (content !== 'text' || delta['content'] === text) return { ...choice, delta };
  return { ...withoutTokens(choice, text), delta: text === '' ? {} : { ...delta, content: text } };
}

/** Of half a token there is no probability: whoever asked for them would miss one, and not know. */
function withoutTokens(choice: JsonObject, text: string): JsonObject {
  if (text !== '' && isObject(choice['logprobs']))
    throw new StreamFault('diverged', 'The tokens of the second answer are not those of the first.');
  return { ...choice, logprobs: null };
}

function added(usage: JsonObject, before: TokenUsage | undefined): JsonObject {
  const sum = (field: string, more = 0) => {
    const count = usage[field];
    return typeof count === 'number' ? { [field]: count + more } : {};
  };
  const { input = 0, output = 0 } = before ?? {};
  return {
    ...usage,
    ...sum('prompt_tokens', input),
    ...sum('input_tokens', input),
    ...sum('completion_tokens', output),
    ...sum('output_tokens', output),
    ...sum('total_tokens', input + output),
  };
}
