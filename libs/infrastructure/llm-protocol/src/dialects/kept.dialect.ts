import { isObject, type JsonObject } from '@morgan/foundation';
import { type Dialect, NO_READING, type TokenUsage } from './dialect.ts';
import { plainDialect } from './plain.dialect.ts';
import { responsesDialect } from './responses.dialect.ts';
import { head, responsesUsage } from './openai-shapes.ts';

/** The events that a response ends with, however it ended. */
const ENDS: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'error',
]);

/**
 * A response that was made before, at `/v1/responses/{id}`: that it failed then is what is asked for, and as a stream it may
 * begin anywhere. Its events count nothing: that is done when it is made, or, of one that is made in the background, by what its
 * last event says of all of it.
 */
export const keptDialect: Dialect = {
  ...plainDialect,
  isKept: true,
  hasEnd: true,
  readEvent(json) {
    const { type, sequence_number: sequence, response } = json;
    const isEnd = ENDS.has(type);
    return {
      ...NO_READING,
      ...head(json),
      content: 'other',
      usage: isEnd && isObject(response) ? usageOf(response) : undefined,
      finished: isEnd ? 1 : 0,
      isEnd,
      sequence: typeof sequence === 'number' ? sequence : undefined,
      goesOn: true,
    };
  },
  readBody: (json) => responsesDialect.readBody(json),
  errorEvent: (error, sequence) => responsesDialect.errorEvent(error, sequence),
};

/** That nothing was written is no fault here. */
function usageOf(response: JsonObject): TokenUsage | undefined {
  const usage = responsesUsage(response);
  return usage?.output ? usage : undefined;
}
