import { type Dialect, NO_READING } from './dialect.ts';
import { completionUsage, dataEvent, DONE_EVENT, head, isOpenAiError, openAiError } from './openai-shapes.ts';
import { isObject, textOrNone } from './reported-error.ts';

/** `/v1/completions`. */
export const completionsDialect: Dialect = {
  name: 'completions',
  textKey: 'text',
  answerKey: 'choices',
  endMarker: DONE_EVENT,
  hasEnd: true,
  readEvent(json) {
    const choices = Array.isArray(json['choices']) ? json['choices'].filter(isObject) : [];
    const usage = completionUsage(json);
    const withText = choices.findLast((choice) => textOrNone(choice['text']));
    const isFirst = choices.every(({ index }) => index === 0 || index === undefined);
    const ended = choices.filter((choice) => textOrNone(choice['finish_reason']));
    return {
      ...NO_READING,
      ...head(json),
      content: withText && (isFirst ? 'text' : 'other'),
      text: withText && isFirst ? (withText['text'] as string) : '',
      finished: ended.length,
      finishedAt: ended.map(({ index = 0 }) => index),
      finishReason: textOrNone(ended.at(-1)?.['finish_reason']),
      usage,
      isUsageOnly: usage !== undefined && choices.length === 0,
    };
  },
  readBody: (json) => ({ ...head(json), usage: completionUsage(json) }),
  errorBody: openAiError,
  isErrorBody: isOpenAiError,
  errorEvent: (error) => dataEvent(openAiError(error)),
};
