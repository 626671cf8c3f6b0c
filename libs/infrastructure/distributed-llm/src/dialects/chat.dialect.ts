import { type ContentKind, type Dialect, type EventReading, NO_READING } from './dialect.ts';
import { completionUsage, dataEvent, DONE_EVENT, head, isOpenAiError, openAiError } from './openai-shapes.ts';
import { isObject, type JsonObject, textOrNone } from './reported-error.ts';

/** `/v1/chat/completions`. */
export const chatDialect: Dialect = {
  name: 'chat',
  textKey: 'content',
  answerKey: 'choices',
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
  errorBody: openAiError,
  isErrorBody: isOpenAiError,
  errorEvent: (error) => dataEvent(openAiError(error)),
};

type Choices = Pick<EventReading, 'content' | 'text' | 'finished' | 'finishedAt' | 'finishReason'>;

function readChoices(choices: readonly JsonObject[]): Choices {
  let reading: Choices = NO_READING;
  for (const choice of choices) {
    const delta = isObject(choice['delta']) ? choice['delta'] : {};
    const content = kindOf(delta, choice['index']);
    const reason = textOrNone(choice['finish_reason']);
    reading = {
      content: content ?? reading.content,
      text: content === 'text' ? (delta['content'] as string) : reading.text,
      finished: reading.finished + (reason ? 1 : 0),
      finishedAt: reason ? [...reading.finishedAt, choice['index'] ?? 0] : reading.finishedAt,
      finishReason: reason ?? reading.finishReason,
    };
  }
  return reading;
}

/** Reasoning has three names: DeepSeek's and older vLLM's, newer vLLM's and OpenRouter's, and Mistral's list of parts. */
function kindOf(delta: JsonObject, index: unknown): ContentKind | undefined {
  const { content, tool_calls: calls } = delta;
  if ((Array.isArray(calls) && calls.length > 0) || isObject(delta['function_call'])) return 'tool';
  if (textOrNone(delta['refusal']) || isObject(delta['audio'])) return 'other';
  if (Array.isArray(content) && content.length > 0) return 'other';
  if (textOrNone(content)) return index === 0 || index === undefined ? 'text' : 'other';
  return textOrNone(delta['reasoning_content']) || textOrNone(delta['reasoning']) ? 'reasoning' : undefined;
}
