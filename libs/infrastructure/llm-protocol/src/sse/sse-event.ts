import { withEscapes } from '../json/json-end.ts';
import { withoutNaN } from '../json/json-text.ts';
import { StreamFault } from './stream-fault.ts';

const LF = 10;
const CR = 13;
const DATA = Buffer.from('data: ');

const DONE = '[DONE]';
/** More in one event than anybody means to say: each is read while nobody else has a turn. */
const MOST_APART = 10_000;
/** The most lines of one event: each takes as much time as a hundred bytes. */
const MOST_LINES = 100_000;
/** Where one JSON ends and the next begins, or the end marker does. */
const NEXT_JSON = /(?<=\})(?:\s*data:|\n)\s*(?=\{|\[DONE\])/;

interface Fields {
  data?: string;
  event?: string;
  id?: string;
  retry?: string;
  error?: string;
}

/**
 * One block of an event stream, up to and with its blank line. Its fields are read when they are asked for, so that an
 * event nobody looks into costs no decoding.
 */
export class SseEvent {
  #fields: Fields | undefined;

  /** @param raw the bytes as they came, with the line ends around them. */
  constructor(readonly raw: Buffer) {}

  /** The lines of data, joined; none in a comment. The field `error`, which older llama.cpp sends instead, counts. */
  get data(): string | undefined {
    const fields = this.#read();
    return fields.data ?? fields.error;
  }

  /** Whether it says of itself, and not only in its data, that it is an error. */
  get isError(): boolean {
    const { event, data, error } = this.#read();
    return event === 'error' || (data === undefined && error !== undefined);
  }

  /** The field `event`. */
  get type(): string | undefined {
    return this.#read().event;
  }

  get id(): string | undefined {
    return this.#read().id;
  }

  /** Whether it has fields and no data. */
  get isEmpty(): boolean {
    const { data, error, event, id, retry } = this.#read();
    if (data !== undefined) return data === '';
    return error === undefined && [event, id, retry].some((field) => field !== undefined);
  }

  /**
   * What it was meant to be: the events that it is made of where a host has left out the blank lines between them, or all of the
   * line ends, and those with `null` for a number that JSON has no word for, and escapes for control characters in texts.
   * Undefined: that is not so, or not beyond doubt.
   */
  mended(): SseEvent[] | undefined {
    const { data = '', event } = this.#read();
    const json = withoutNaN(data);
    const pieces = json.split(NEXT_JSON, MOST_APART + 1);
    if (pieces.length > MOST_APART) return undefined;
    const told = pieces.map((piece) => withEscapes(piece.trim()));
    if (told.length < 2 && told[0] === data.trim()) return undefined;
    // What line ends are left are outside of texts.
    const events = told.map((piece) => eventOf(piece.replaceAll('\n', ' '), event));
    return events.every((each) => each !== undefined) ? events : undefined;
  }

  #read(): Fields {
    return (this.#fields ??= readFields(this.raw));
  }
}

function readFields(raw: Buffer): Fields {
  // One line of data, as nearly every event is.
  const end = raw.length - 2;
  const isPlain = end >= DATA.length && raw.indexOf(LF) === end && !raw.includes(CR);
  if (isPlain && raw.compare(DATA, 0, DATA.length, 0, DATA.length) === 0)
    return { data: raw.toString('utf8', DATA.length, end) };
  const fields: Fields = {};
  const lines = raw.toString('utf8').split(/\r\n|\n|\r/, MOST_LINES + 1);
  if (lines.length > MOST_LINES)
    throw new StreamFault('event_too_large', `An event of the stream has more than ${MOST_LINES} lines.`);
  for (const line of lines) addLine(fields, line);
  return fields;
}

function addLine(fields: Fields, line: string): void {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  const start = line[colon + 1] === ' ' ? colon + 2 : colon + 1;
  const value = colon < 0 ? '' : line.slice(start);
  if (name === 'data') fields.data = fields.data === undefined ? value : `${fields.data}\n${value}`;
  else if (name === 'error') fields.error = value;
  else if (name === 'event') fields.event = value;
  else if (name === 'id' && !value.includes('\0')) fields.id = value;
  else if (name === 'retry' && /^\d+$/.test(value)) fields.retry = value;
}

/** @param name that of the last of several; where they have names these are their types. */
function eventOf(piece: string, name: string | undefined): SseEvent | undefined {
  try {
    const { type = name } = piece === DONE ? {} : (JSON.parse(piece) as { readonly type?: string });
    return new SseEvent(Buffer.from(`${name === undefined ? '' : `event: ${type}\n`}data: ${piece}\n\n`));
  } catch {
    return undefined;
  }
}
