import type { SseEvent } from '../streams/sse-event.ts';
import { type BodyReading, type Dialect, type EventReading, NO_READING } from './dialect.ts';
import { EventTemplate } from './event-template.ts';
import { firstByte } from './json-bytes.ts';
import { bareErrorIn, errorIn, isObject, type JsonObject, type ReportedError } from './reported-error.ts';

const END: EventReading = { ...NO_READING, isEnd: true };
const COMMENT: EventReading = { ...NO_READING, isComment: true };
/** Where nothing is known of the dialect, anything that is said is content. */
const SOMETHING: EventReading = { ...NO_READING, content: 'other' };
const OPENING = '{'.charCodeAt(0);
const NO_ANSWER: ReportedError = {
  status: undefined,
  type: undefined,
  code: undefined,
  message: 'The host gave no answer, and did not say why.',
};
const MALFORMED: EventReading = { ...NO_READING, isMalformed: true };

/**
 * Reads the events of one stream. Most differ from the one before in their text only: those are recognised by their bytes
 * and not parsed.
 */
export class EventReader {
  #template: EventTemplate | undefined;

  constructor(private readonly dialect: Dialect) {}

  read(event: SseEvent): EventReading {
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
  const json = parse(body.toString().trim());
  if (!isObject(json)) return undefined;
  return { error: errorIn(json) ?? missingAnswer(dialect, json), ...dialect.readBody(json) };
}

/** What a response says in the place of its answer. */
function missingAnswer({ answerKey, objectName }: Dialect, json: JsonObject): ReportedError | undefined {
  if (answerKey === undefined || Array.isArray(json[answerKey])) return undefined;
  const isEmpty = json[answerKey] === null || (objectName !== undefined && json['object'] === objectName);
  return bareErrorIn(json) ?? (isEmpty ? NO_ANSWER : undefined);
}

function readEvent(dialect: Dialect, event: SseEvent): EventReading {
  const { data } = event;
  if (data === undefined) return readNoData(event);
  if (data === '') return COMMENT;
  if (data.trim() === '[DONE]') return END;
  const json = parse(data);
  const error = (isObject(json) ? errorIn(json) : undefined) ?? declaredError(event, json);
  if (error) return { ...NO_READING, error };
  if (isObject(json)) return dialect.readEvent(json);
  return dialect.hasEnd ? MALFORMED : SOMETHING;
}

/** Some hosts begin a stream by their headers, and then say what is wrong as if it were none. */
function readNoData({ raw }: SseEvent): EventReading {
  if (raw[firstByte(raw)] !== OPENING) return COMMENT;
  const json = parse(raw.toString());
  const error = isObject(json) ? errorIn(json) : undefined;
  return error ? { ...NO_READING, error } : COMMENT;
}

/** The event itself says that it is one, or its data has a code and a text and nothing of an answer. */
function declaredError(event: SseEvent, json: unknown): ReportedError | undefined {
  const isError = event.type === 'error';
  if (!isObject(json))
    return isError ? { ...NO_ANSWER, message: event.data ?? NO_ANSWER.message } : undefined;
  const isCoded = 'error_code' in json || json['success'] === false || 'base_resp' in json;
  const error = isError || (isCoded && !('choices' in json)) ? bareErrorIn(json) : undefined;
  return error ?? (isError ? NO_ANSWER : undefined);
}

/** Whether another event that has another text in the same place says nothing else. */
function isTextOnly({ content, finished, usage, isEnd }: EventReading): boolean {
  return content === 'text' && finished === 0 && usage === undefined && !isEnd;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
