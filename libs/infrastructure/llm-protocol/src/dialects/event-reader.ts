import { isObject, jsonOrNone, type JsonObject, textOrNone } from '@morgan/foundation';
import {
  bareErrorIn,
  codedErrorIn,
  errorIn,
  isHttpStatus,
  type ReportedError,
  wordsIn,
} from '@morgan/host-errors';
import type { SseEvent } from '../sse/sse-event.ts';
import {
  type BodyReading,
  type Dialect,
  type EventReading,
  NO_READING,
  SAID_NOTHING,
  type TokenUsage,
} from './dialect.ts';
import { EventTemplate } from './event-template.ts';
import { firstByte } from '../json/json-bytes.ts';
import { DONE_EVENT } from './openai-shapes.ts';

const END: EventReading = { ...NO_READING, isEnd: true };
const COMMENT: EventReading = { ...NO_READING, isComment: true };
/** Where nothing is known of the dialect, anything that is said is content. */
const SOMETHING: EventReading = { ...NO_READING, content: 'other' };
const OPENING = '{'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const NO_ANSWER: ReportedError = {
  status: undefined,
  type: undefined,
  code: undefined,
  message: 'The host gave no answer, and did not say why.',
};
/** Whatever it says: none of it may be told as an error. */
const OF_OLLAMA: ReportedError = {
  ...NO_ANSWER,
  message: "The host answered in Ollama's own API. Its OpenAI API is below /v1, which its URL should end in.",
};
/** A host that has one path for all, or takes all paths for one: that of the request it has not. */
const OTHER_API: ReportedError = {
  ...NO_ANSWER,
  status: 404,
  message: 'No such path at the host: it answered in another API.',
};
/** A longer event is parsed sooner than its text is looked for in it, in bytes. */
const LONGEST_TEMPLATE = 4_096;
/** As it should be, and as some write it. */
const DONE = /^\s*"?\[done\]"?\s*$/i;
/** The type of an event in the place of OpenAI's, as of `speech.audio.error`. */
const OF_ERROR = /\.error$/;
const MALFORMED: EventReading = { ...NO_READING, isMalformed: true };

/**
 * Reads the events of one stream. Most differ from the one before in their text only: those are recognised by their bytes
 * and not parsed.
 */
export class EventReader {
  #template: EventTemplate | undefined;

  constructor(private readonly dialect: Dialect) {}

  read(event: SseEvent): EventReading {
    if (event.raw.length > LONGEST_TEMPLATE) return readEvent(this.dialect, event);
    const text = this.#template?.textIn(event.raw);
    if (text !== undefined) return { ...NO_READING, content: 'text', text };
    const reading = readEvent(this.dialect, event);
    const { textKey } = this.dialect;
    if (textKey !== undefined && isTextOnly(reading))
      this.#template = EventTemplate.of(event.raw, textKey, reading.text) ?? this.#template;
    return reading;
  }
}

/** Reads a JSON response. Undefined: it is no JSON object. */
export function readBody(dialect: Dialect, body: Buffer): BodyReading | undefined {
  const json = unlisted(jsonOrNone(body.toString().trim()));
  if (!isObject(json)) return undefined;
  return { error: errorIn(json) ?? missingResult(dialect, json), ...dialect.readBody(json) };
}

/** What a response says in the place of its answer. */
function missingResult(dialect: Dialect, json: JsonObject): ReportedError | undefined {
  const { resultKey, objectName } = dialect;
  if (resultKey === undefined)
    return codedErrorIn(json) ?? (dialect.isNothing?.(json) ? NO_ANSWER : undefined);
  if (typeof json['done'] === 'boolean') return OF_OLLAMA;
  const result = json[resultKey];
  if (dialect.isNothing?.(json)) return NO_ANSWER;
  if (Array.isArray(result) && (objectName === undefined || isFiltered(json))) return undefined;
  if (Array.isArray(result) && result.length > 0) {
    const { content, usage, finishReason } = dialect.readEvent(json);
    return content === undefined && saysNothing(usage, finishReason) ? NO_ANSWER : undefined;
  }
  // That of a queue that has taken the call, or of a health check that answers on every path.
  const isState =
    json['object'] === objectName ||
    textOrNone(json['status']) !== undefined ||
    isHttpStatus(Number(json['statusCode']));
  if (isOfOther(dialect, json)) return OTHER_API;
  // Nobody has another word for choices, as some hosts have for vectors.
  const isEmpty =
    resultKey === 'choices' ||
    result === null ||
    Array.isArray(result) ||
    Object.keys(json).length === 0 ||
    (objectName !== undefined && isState);
  return isEmpty ? (wordsIn(json) ?? NO_ANSWER) : bareErrorIn(json);
}

/** What chat completions, messages and responses have their results in. */
const RESULTS = ['choices', 'content', 'output'];

/** Whether it has a result, and the one of another API. */
function isOfOther({ hasEnd, resultKey = '' }: Dialect, json: JsonObject): boolean {
  const hasItems = (key: string) => Array.isArray(json[key]) && json[key].some(isObject);
  return hasEnd && json[resultKey] === undefined && RESULTS.some(hasItems);
}

/** What a choice ends with that has said all. */
const GOOD_ENDS: ReadonlySet<string> = new Set(['stop', 'end_turn', 'completed']);

/** Whether a response without content is none: its host has counted no token of it, and names no reason for that. */
export function saysNothing(usage: TokenUsage | undefined, finishReason: string | undefined): boolean {
  if (finishReason === SAID_NOTHING) return true;
  return usage?.output === 0 && GOOD_ENDS.has(finishReason ?? 'stop');
}

/** A filter has left nothing of it, and says so. */
export function isFiltered(json: JsonObject): boolean {
  return Object.keys(json).some((name) => /filter|feedback/i.test(name));
}

function readEvent(dialect: Dialect, event: SseEvent): EventReading {
  const { data } = event;
  if (data === undefined) return readNoData(event);
  if (data === '') return COMMENT;
  // Of another dialect: some say it behind the end of each, and some in its place.
  if (DONE.test(data)) return dialect.hasEnd && dialect.endMarker !== DONE_EVENT ? MALFORMED : END;
  const json = unlisted(jsonOrNone(data));
  const error = dialect.isKept ? undefined : errorOf(dialect, event, json);
  if (error) return { ...NO_READING, error, failed: isObject(json) ? dialect.failedIn?.(json) : undefined };
  if (isObject(json)) return dialect.readEvent(json);
  return dialect.hasEnd ? MALFORMED : SOMETHING;
}

function errorOf(dialect: Dialect, event: SseEvent, json: unknown): ReportedError | undefined {
  if (isObject(json) && isEventOfOther(dialect, json)) return OTHER_API;
  return (isObject(json) ? errorIn(json) : undefined) ?? declaredError(dialect, event, json);
}

/** The types of the first events, by the name of their API. */
const FIRST_TYPES: ReadonlyMap<unknown, string> = new Map([
  ['message_start', 'messages'],
  ['response.created', 'responses'],
]);

function isEventOfOther(dialect: Dialect, json: JsonObject): boolean {
  const name = FIRST_TYPES.get(json['type']) ?? dialect.name;
  if (dialect.hasEnd && name !== dialect.name) return true;
  return Array.isArray(json['choices']) && isOfOther(dialect, json);
}

/**
 * Some hosts begin a stream by their headers, and then say what is wrong as if it were none. What is neither that, nor a comment,
 * nor a field, is a page of whatever stands before the host: nobody can read that.
 */
function readNoData({ raw, isEmpty }: SseEvent): EventReading {
  const first = raw[firstByte(raw)];
  if (first !== OPENING) return first === undefined || first === COLON || isEmpty ? COMMENT : MALFORMED;
  const json = jsonOrNone(raw.toString());
  const error = isObject(json) ? (errorIn(json) ?? codedErrorIn(json)) : undefined;
  return error ? { ...NO_READING, error } : COMMENT;
}

/** The event itself says that it is one, or its data has a code and a text and nothing of an answer. */
function declaredError(
  { resultKey }: Dialect,
  { isError, data }: SseEvent,
  json: unknown,
): ReportedError | undefined {
  if (!isObject(json)) return isError ? { ...NO_ANSWER, message: data ?? NO_ANSWER.message } : undefined;
  const isCoded = 'error_code' in json || json['success'] === false || 'base_resp' in json;
  const { choices, type } = json;
  const hasResult = Array.isArray(choices) && choices.length > 0;
  const saysError = isError || OF_ERROR.test(textOrNone(type) ?? '');
  if (saysError) return wordsIn(json) ?? NO_ANSWER;
  if (isCoded && !hasResult) return bareErrorIn(json);
  return resultKey === 'choices' && choices === undefined ? namedError(json) : undefined;
}

/** Without an envelope what is an error has the number or the name of one: other words are about a queue or a tool. */
function namedError(json: JsonObject): ReportedError | undefined {
  const error = bareErrorIn(json);
  const isOne = error?.status !== undefined || /error|exception/i.test(error?.type ?? '');
  return isOne || typeof json['code'] === 'number' ? error : undefined;
}

/** Whether another event that has another text in the same place says nothing else. */
function isTextOnly({ content, finished, usage, isEnd }: EventReading): boolean {
  return content === 'text' && finished === 0 && usage === undefined && !isEnd;
}

/** Google's errors are the only element of a list. */
function unlisted(json: unknown): unknown {
  const first: unknown = Array.isArray(json) ? json[0] : undefined;
  return isObject(first) && errorIn(first) ? first : json;
}
