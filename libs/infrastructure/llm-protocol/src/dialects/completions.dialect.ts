import { isObject, textOrNone } from '@morgan/foundation';
import { completionEvents, withChoices } from './chat.events.ts';
import { type Dialect, NO_READING } from './dialect.ts';
import { completionUsage, DONE_EVENT, finishReasonOf, head, OPENAI_ERRORS } from './openai-shapes.ts';

/** `/v1/completions`. */
export const completionsDialect: Dialect = {
  name: 'completions',
  textKey: 'text',
  resultKey: 'choices',
  objectName: 'text_completion',
  endMarker: DONE_EVENT,
  hasEnd: true,
  readEvent(json) {
    const choices = Array.isArray(json['choices']) ? json['choices'].filter(isObject) : [];
    const usage = completionUsage(json);
    const withText = choices.findLast((choice) => textOrNone(choice['text']));
    const isFirst = choices.every(({ index }) => index === 0 || index === undefined);
    const ended = choices.filter((choice) => finishReasonOf(choice));
    return {
      ...NO_READING,
      ...head(json),
      content: withText && (isFirst ? 'text' : 'other'),
      text: withText && isFirst ? (withText['text'] as string) : '',
      finished: ended.length,
      finishedAt: ended.map(({ index = 0 }) => index),
      finishReason: finishReasonOf(ended.at(-1) ?? {}),
      usage,
      isUsageOnly: usage !== undefined && choices.length === 0,
    };
  },
  readBody: (json) => ({ ...head(json), usage: completionUsage(json) }),
  eventsOf: completionEvents,
  eventOf: withChoices,
  ...OPENAI_ERRORS,
};
