import type { JsonObject } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';

/** The ways of speaking that differ in where things stand. `plain` is every other path that answers JSON or bytes. */
export type DialectName = 'chat' | 'completions' | 'responses' | 'messages' | 'plain';

/** Token counts that a host reported; a part that it did not report is missing. */
export interface TokenUsage {
  readonly input?: number;
  readonly output?: number;
  /** The part of `input` that came from a prompt cache. */
  readonly cachedInput?: number;
}

/**
 * What callers wait for. `text` is plain text of the first choice, which can be gone on with elsewhere; `other` is text of
 * a further choice, a refusal, audio.
 */
export type ContentKind = 'text' | 'reasoning' | 'tool' | 'other';

/** What one event of a stream says. */
export interface EventReading {
  /** None in role chunks, pings, comments and everything else that only accompanies a response. */
  readonly content: ContentKind | undefined;
  /** The text, for `text`; else empty. */
  readonly text: string;
  /** How many choices are complete with this event, all of them in a dialect that has one. */
  readonly finished: number;
  /** Which choices these are, by their index, in dialects that have several: some hosts say it of one twice. */
  readonly finishedAt: readonly unknown[];
  /** Why a choice is complete, in the dialect's own word, or {@link SAID_NOTHING}. */
  readonly finishReason: string | undefined;
  /** The dialect's end marker: nothing follows. */
  readonly isEnd: boolean;
  readonly usage: TokenUsage | undefined;
  /** It has token counts and nothing else, as hosts send it that were asked for `stream_options.include_usage`. */
  readonly isUsageOnly: boolean;
  readonly error: ReportedError | undefined;
  /** It has no data, or none that is not empty: it is a comment, or sets a field only. */
  readonly isComment: boolean;
  /** It says that the host is there, and nothing else. */
  readonly isKeepAlive: boolean;
  /** It has data that cannot be read. */
  readonly isMalformed: boolean;
  readonly id: string | undefined;
  readonly model: string | undefined;
  /** Its place in the stream, where the dialect counts. */
  readonly sequence: number | undefined;
  /**
   * In a dialect whose streams need no end: whether the event is a part of something that has an event of its own for its end.
   * False: it is that event.
   */
  readonly isPart: boolean | undefined;
  /** Whether the response goes on at its host, and can be asked for there, whatever becomes of its stream. */
  readonly goesOn: boolean;
  /** Of an event that says that the response has failed: what there is of it. Why may stand in the next one. */
  readonly failed: JsonObject | undefined;
}

/** What a JSON response says. */
export interface BodyReading {
  readonly error: ReportedError | undefined;
  readonly usage: TokenUsage | undefined;
  readonly id: string | undefined;
  readonly model: string | undefined;
}

/** What a response says of itself, as far as it has said so. */
export interface ResponseHead extends Partial<Pick<EventReading, 'id' | 'model'>> {
  /** All of it, in dialects that begin with that. */
  readonly response?: JsonObject | undefined;
}

/** The end of a response that lists nothing of what was said. */
export const SAID_NOTHING = 'said_nothing';

/** An event without a meaning of its own; readings are made from it. */
export const NO_READING: EventReading = {
  content: undefined,
  text: '',
  finished: 0,
  finishedAt: [],
  finishReason: undefined,
  isEnd: false,
  usage: undefined,
  isUsageOnly: false,
  error: undefined,
  isComment: false,
  isKeepAlive: false,
  isMalformed: false,
  id: undefined,
  model: undefined,
  sequence: undefined,
  isPart: undefined,
  goesOn: false,
  failed: undefined,
};

/**
 * Reads one API (chat, responses, messages, …): where it has content, usage, errors and the end. Stateless: one object
 * serves all calls.
 */
export interface Dialect {
  readonly name: DialectName;
  /** The JSON key whose value is the text of an event, which lets similar events be read without parsing. */
  readonly textKey: string | undefined;
  /** What a complete response ends with, where it can be supplied for a host that left it out. */
  readonly endMarker: Buffer | undefined;
  /** What a caller gets while there is nothing to say, where clients do not take a comment for a sign of life. */
  readonly keepAlive?: Buffer;
  /** The key of a JSON response that holds what was asked for; a JSON without it is no answer. */
  readonly resultKey: string | undefined;
  /** What a JSON response calls itself in `object`: one that does so and has nothing under that key is none either. */
  readonly objectName?: string;
  /** Whether a JSON response that is complete has nothing of what was asked for, and its host has counted no token of it. */
  readonly isNothing?: (json: JsonObject) => boolean;
  /** Whether a response is a JSON, of whatever form: text and bytes are none. */
  readonly isJson?: true;
  /** What stands where a number of a response should be that its host could not compute. */
  readonly gap?: RegExp;
  /** Whether a response that is text may say anything: what was heard, and of silence nothing. */
  readonly isTranscript?: true;
  /** Whether a JSON response is something that the host keeps: an error in it is a part of that, and none of the call's. */
  readonly isKept?: true;
  /** Whether a body that ends without {@link EventReading.isEnd} or a finished choice is unfinished. */
  readonly hasEnd: boolean;
  /** Reads the data of an event that reports no error. */
  readEvent(json: JsonObject): EventReading;
  /** Reads a JSON response that reports no error. */
  readBody(json: JsonObject): Omit<BodyReading, 'error'>;
  /** A whole JSON response as the events that would have told it, but for {@link endMarker}; undefined where it has none. */
  readonly eventsOf?: (json: JsonObject) => readonly JsonObject[] | undefined;
  /** An event that says something in the form of a whole response as one of a stream; undefined where it has that form. */
  readonly eventOf?: (json: JsonObject, begins?: string) => JsonObject | undefined;
  /** Of an event that reports an error: the response, where it says that this has failed. */
  readonly failedIn?: (json: JsonObject) => JsonObject | undefined;
  /** An error's body in this dialect's shape. */
  errorBody(error: ReportedError): JsonObject;
  /** Whether the JSON of a refusal has that shape already, and can go on as it came. */
  isErrorBody(json: JsonObject): boolean;
  /**
   * An event that the official clients raise as an error.
   * @param sequence its place in the stream, in dialects that count.
   */
  errorEvent(error: ReportedError, sequence: number): Buffer;
  /**
   * What a stream ends with behind {@link errorEvent} whose response has failed, where the API has an end for that: then the
   * transfer is whole, as some clients read that end only then.
   */
  readonly failedEnd?: (error: ReportedError, sequence: number, response: ResponseHead) => Buffer;
}

/** Turns the events of one stream, in the host's dialect, into those of the caller's. */
export interface StreamTranslator {
  /** What one event becomes: none, or several. @throws StreamFault when it cannot be said. */
  take(json: JsonObject): Buffer[];
  /** What a whole response ends with. */
  end(): Buffer[];
}
