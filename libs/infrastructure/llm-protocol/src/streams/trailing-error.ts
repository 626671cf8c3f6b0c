import { isObject, type JsonObject, jsonOrNone, textOrNone } from '@morgan/foundation';
import { bareErrorIn, type ReportedError } from '@morgan/host-errors';
import type { Dialect, EventReading } from '../dialects/dialect.ts';
import { addsToResponse } from './response-progress.ts';
import type { SseEvent } from '../sse/sse-event.ts';
import { reportedFault, type StreamFault } from '../sse/stream-fault.ts';

/** How hosts that have no envelope for it name what went wrong. */
const NAMES_FAULT = /error|exception|^err$/i;
/** Words of an error in a text that is no JSON. */
const SPEAKS_OF_FAULT = /error|exception|fail|abort|unavailable|timed? ?out|bad gateway/i;
/** A part of an answer, of whatever it speaks. Python's own notation of an error has other quotes. */
const HALF_EVENT = /^\{\s*"/;
/** No more characters of it are kept. */
const LONGEST = 4_096;

/**
 * An error that a host tells behind its last content, in an event that is no part of an answer. If the answer has an end marker
 * and no reason to stop, this event says why: servers write the marker behind every stream, whatever became of it.
 */
export class TrailingError {
  /** The response, where the host has said that it has failed, and not why yet. */
  failed: JsonObject | undefined;
  #event: SseEvent | undefined;

  constructor(private readonly dialect: Dialect) {}

  /** @param reading none of what cannot be read. */
  note(event: SseEvent, reading?: EventReading): void {
    if (reading && addsToResponse(reading)) this.#event = undefined;
    else if (!reading?.isComment) this.#event = event;
  }

  /** The fault that a response has of which no more is said than that it has failed. */
  get unexplained(): StreamFault | undefined {
    return this.failed && reportedFault(undefined, this.failed);
  }

  /** The error, if the last event that is no part of the answer tells one. */
  get error(): ReportedError | undefined {
    const data = this.#event?.data;
    // Others have an event of their own for an end that is none.
    if (data === undefined || this.dialect.resultKey !== 'choices') return undefined;
    const json = jsonOrNone(data);
    if (isObject(json)) return hasChoice(json) ? undefined : errorOf(json);
    const text = textOrNone(json) ?? data;
    return SPEAKS_OF_FAULT.test(text) && !HALF_EVENT.test(text) ? errorWith(text) : undefined;
  }
}

function hasChoice({ choices }: JsonObject): boolean {
  return Array.isArray(choices) && choices.length > 0;
}

function errorOf(json: JsonObject): ReportedError | undefined {
  const [name, value] = Object.entries(json).find(([key, said]) => NAMES_FAULT.test(key) && said) ?? [];
  const said = bareErrorIn(json) ?? (isObject(value) ? bareErrorIn(value) : undefined);
  return said ?? (name === undefined ? undefined : errorWith(textOrNone(value) ?? name));
}

function errorWith(text: string): ReportedError {
  return { status: undefined, type: undefined, code: undefined, message: text.slice(0, LONGEST) };
}
