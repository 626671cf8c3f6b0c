import type { SseEvent } from '../streams/sse-event.ts';
import { type BodyReading, type Dialect, type EventReading, NO_READING } from './dialect.ts';
import { EventTemplate } from './event-template.ts';
import { errorIn, isObject } from './reported-error.ts';

const END: EventReading = { ...NO_READING, isEnd: true };
const COMMENT: EventReading = { ...NO_READING, isComment: true };
/** Where nothing is known of the dialect, anything that is said is content. */
const SOMETHING: EventReading = { ...NO_READING, content: 'other' };
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
    const reading = readData(this.dialect, event.data);
    const { textKey } = this.dialect;
    if (textKey !== undefined && isTextOnly(reading))
      this.#template = EventTemplate.of(event.raw, textKey, reading.text) ?? this.#template;
    return reading;
  }
}

/** Reads a JSON response. Undefined: it is no JSON object. */
export function readBody(dialect: Dialect, body: Buffer): BodyReading | undefined {
  const json = parse(body.toString());
  if (!isObject(json)) return undefined;
  return { error: errorIn(json), ...dialect.readBody(json) };
}

function readData(dialect: Dialect, data: string | undefined): EventReading {
  if (data === undefined) return COMMENT;
  if (data === '') return NO_READING;
  if (data.trim() === '[DONE]') return END;
  const json = parse(data);
  if (!isObject(json)) return dialect.hasEnd ? MALFORMED : SOMETHING;
  const error = errorIn(json);
  return error ? { ...NO_READING, error } : dialect.readEvent(json);
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
