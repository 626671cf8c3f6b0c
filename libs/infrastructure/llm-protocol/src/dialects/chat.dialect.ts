import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { chatEvents, chunkOf } from './chat.events.ts';
import { type ContentKind, type Dialect, type EventReading, NO_READING } from './dialect.ts';
import {
  callsOf,
  completionUsage,
  DONE_EVENT,
  finishReasonOf,
  head,
  OPENAI_ERRORS,
  OF_THOUGHT,
} from './openai-shapes.ts';

/** `/v1/chat/completions`. */
export const chatDialect: Dialect = {
  name: 'chat',
  textKey: 'content',
  resultKey: 'choices',
  objectName: 'chat.completion',
  isNothing,
  endMarker: DONE_EVENT,
  hasEnd: true,
  readEvent(json) {
    const choices = Array.isArray(json['choices']) ? json['choices'].filter(isObject) : [];
    const usage = completionUsage(json);
    return {
      ...NO_READING,
      ...head(json),
      ...readChoices(choices),
      usage,
      isUsageOnly: usage !== undefined && choices.length === 0,
    };
  },
  readBody: (json) => ({ ...head(json), usage: completionUsage(json) }),
  eventsOf: chatEvents,
  eventOf: chunkOf,
  ...OPENAI_ERRORS,
};

/** Clients look for a message in each choice. */
function isNothing({ choices }: JsonObject): boolean {
  const isSaid = (choice: unknown) =>
    isObject(choice) &&
    (isObject(choice['message']) || isObject(choice['delta']) || textOrNone(choice['text']) !== undefined);
  return Array.isArray(choices) && choices.length > 0 && !choices.some(isSaid);
}

type Choices = Pick<EventReading, 'content' | 'text' | 'finished' | 'finishedAt' | 'finishReason'>;

function readChoices(choices: readonly JsonObject[]): Choices {
  let reading: Choices = NO_READING;
  const finishedAt: unknown[] = [];
  for (const choice of choices) {
    const delta = isObject(choice['delta']) ? choice['delta'] : {};
    const { message, text } = choice;
    // Of another endpoint, or of a host that has one shape for all.
    const isOdd = textOrNone(text) !== undefined || (isObject(message) && kindOf(message, 0) !== undefined);
    const content = kindOf(delta, choice['index']) ?? (isOdd ? 'other' : undefined);
    const reason = finishReasonOf(choice);
    if (reason) finishedAt.push(choice['index'] ?? 0);
    reading = {
      content: content ?? reading.content,
      text: content === 'text' ? textOf(delta['content']) : reading.text,
      finished: finishedAt.length,
      finishedAt,
      finishReason: reason ?? reading.finishReason,
    };
  }
  return reading;
}

/** Reasoning has many names: `reasoning_content`, `reasoning`, `reasoning_details`, `thinking_blocks`, `thought`, or a part of the content. */
function kindOf(delta: JsonObject, index: unknown): ContentKind | undefined {
  const { content } = delta;
  if (callsOf(delta).length > 0 || isObject(delta['function_call'])) return 'tool';
  if (textOrNone(delta['refusal']) || isObject(delta['audio'])) return 'other';
  const isText = textOrNone(content) !== undefined;
  const kind = Array.isArray(content) ? kindOfParts(content) : isText ? 'text' : undefined;
  if (kind === 'text') return index === 0 || index === undefined ? 'text' : 'other';
  return kind ?? kindOfOthers(delta);
}

/** Mistral's content is a list of parts where a model thinks. */
function kindOfParts(parts: readonly unknown[]): ContentKind | undefined {
  const types = parts.map((part) => (isObject(part) ? String(part['type']) : ''));
  if (types.some((type) => type !== 'text' && !OF_THOUGHT.test(type))) return 'other';
  if (textOf(parts) !== '') return 'text';
  return types.some((type) => type !== 'text') ? 'reasoning' : undefined;
}

/** That of a content, without what was thought. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return textOrNone(content) ?? '';
  return content
    .map((part) => (isObject(part) && part['type'] === 'text' && textOrNone(part['text'])) || '')
    .join('');
}

/** What hosts add to the API: reasoning under a name of their own, and lists of images or sources. */
function kindOfOthers(delta: JsonObject): ContentKind | undefined {
  const isSaid = (name: string) => isList(delta[name]) || (OF_THOUGHT.test(name) && hasText(delta[name]));
  const said = Object.keys(delta).filter((name) => name !== 'content' && isSaid(name));
  if (said.some((name) => OF_THOUGHT.test(name))) return 'reasoning';
  return said.length > 0 ? 'other' : undefined;
}

/** A text, or an object around one. */
function hasText(value: unknown): boolean {
  const texts = isObject(value) ? Object.values(value) : [value];
  return texts.some((text) => textOrNone(text) !== undefined);
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
