import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import { type ContentKind, type Dialect, NO_READING, SAID_NOTHING } from './dialect.ts';
import { dataEvent, head, isOpenAiError, openAiError, responsesUsage } from './openai-shapes.ts';
import { FAILED, failedEvent, responsesEvents } from './responses.events.ts';

/** The events that end a stream; `response.failed` is read as an error. */
const ENDS: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.cancelled',
]);

/** `/v1/responses`. Its last event holds the whole response, so no marker can be supplied for a host that left it out. */
export const responsesDialect: Dialect = {
  name: 'responses',
  textKey: undefined,
  resultKey: 'output',
  isNothing,
  endMarker: undefined,
  hasEnd: true,
  readEvent(json) {
    const { type, delta, response } = json;
    const isEnd = ENDS.has(type);
    const content = typeof type === 'string' ? kindOf(type, json) : undefined;
    return {
      ...NO_READING,
      ...(isObject(response) && { ...head(response), usage: responsesUsage(response) }),
      content,
      text: content === 'text' ? (delta as string) : '',
      finished: isEnd ? 1 : 0,
      finishReason: isEnd && isObject(response) ? reasonOf(response) : undefined,
      isEnd,
      failed: failedIn(json),
      sequence: typeof json['sequence_number'] === 'number' ? json['sequence_number'] : undefined,
      goesOn: isObject(response) && response['background'] === true,
    };
  },
  readBody: (json) => ({ ...head(json), usage: responsesUsage(json) }),
  eventsOf: responsesEvents,
  failedIn,
  errorBody: openAiError,
  isErrorBody: isOpenAiError,
  errorEvent: (error, sequence) => dataEvent(errorData(error, sequence), 'error'),
  failedEnd: (error, sequence, response) => dataEvent(failedEvent(error, sequence, response), FAILED),
};

/** Some say it with the event of an end that is none. */
function failedIn({ type, response }: JsonObject): JsonObject | undefined {
  return isObject(response) && (type === FAILED || response['status'] === 'failed') ? response : undefined;
}

function isNothing(response: JsonObject): boolean {
  const { status, output } = response;
  const isEmpty = Array.isArray(output) && output.length === 0;
  // Some do not say why.
  if (status === 'failed') return true;
  return status === 'completed' && isEmpty && !responsesUsage(response)?.output;
}

/** Where the text has come in events before, some leave it out of the last one. */
function reasonOf(response: JsonObject): string | undefined {
  return isNothing(response) ? SAID_NOTHING : textOrNone(response['status']);
}

function kindOf(
  type: string,
  { delta, output_index: output, item, response }: JsonObject,
): ContentKind | undefined {
  // One that is made in the background goes on at its host whoever listens: its id is what its caller waits for.
  if (type === 'response.created' && isObject(response) && response['background'] === true) return 'other';
  if (type === 'response.output_item.added' && isObject(item))
    return item['type'] === 'message' || item['type'] === 'reasoning' ? undefined : 'tool';
  if (!textOrNone(delta)) return undefined;
  if (type === 'response.output_text.delta') return output === 0 || output === undefined ? 'text' : 'other';
  if (type.startsWith('response.reasoning')) return 'reasoning';
  return type.includes('call') ? 'tool' : 'other';
}

/** As the API says it, at the top, and as the official clients look for it, in `error`. */
function errorData(error: ReportedError, sequence: number): JsonObject {
  const body = openAiError(error)['error'] as JsonObject;
  return {
    type: 'error',
    code: body['code'],
    message: body['message'],
    param: body['param'],
    error: body,
    sequence_number: sequence,
  };
}
