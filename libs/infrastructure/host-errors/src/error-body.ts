import { isObject, type JsonObject, jsonOrNone } from '@morgan/foundation';
import { bareErrorIn, errorIn, type ReportedError } from './reported-error.ts';
import { xmlErrorIn } from './xml-error.ts';

/** The most of a plain text that is quoted. */
const LONGEST_TEXT = 2_000;
/** The data of an event: some hosts refuse a stream in the form of one, and Alibaba also what is none. */
const EVENT = /^\s*(?:(?:event|id|retry)?:.*\r?\n){0,8}data: ?(\{.*\})/;
/** What a JSON that cannot be read to its end says first: so near its beginning that no key can be cut there. */
const FIRST_WORDS = /^\s*[[{][^]{0,8192}?"(?:message|msg|detail|error)"\s*:\s*"((?:[^"\\]|\\.){1,2000})/;
/** How the part of a JSON is called that says what went wrong. */
const NAMES_ERROR = /(error|exception|fault)$/i;

/** What the body of a response with an error status says. */
export interface ErrorBody {
  readonly error: ReportedError | undefined;
  /** Whether it is the JSON of an API, or the beginning of one. */
  readonly isJson: boolean;
  /** All of it where it is a JSON object, and nothing else. */
  readonly json?: JsonObject | undefined;
}

/** Reads the body of a response with an error status: JSON in any of its shapes, an event, XML, plain text. */
export function readErrorBody(text: string, status: number): ErrorBody {
  const event = EVENT.exec(text)?.[1];
  const whole = jsonOrNone((event ?? text).trim());
  // Google's has it as the only element of a list.
  const json: unknown = Array.isArray(whole) ? whole[0] : whole;
  if (typeof json === 'string' && json !== '')
    return { error: errorOf(json.slice(0, LONGEST_TEXT)), isJson: true };
  if (!isObject(json)) {
    const begun = firstWordsIn(text);
    return { error: begun ?? plainError(text), isJson: begun !== undefined };
  }
  const error = errorIn(json) ?? bareErrorIn(json) ?? formlessError(json, text, status);
  return { error, isJson: true, json: event === undefined && isObject(whole) ? whole : undefined };
}

/** Of a JSON that is longer than what is read of it, or that something else stands behind. */
function firstWordsIn(text: string): ReportedError | undefined {
  const words = FIRST_WORDS.exec(text)?.[1];
  return words === undefined ? undefined : errorOf(unescaped(words));
}

/** As it stands where it ends within an escape. */
function unescaped(words: string): string {
  const text: unknown = jsonOrNone(`"${words}"`);
  return typeof text === 'string' ? text : words;
}

/** A page for people is no message: whoever made it is not the API. */
function plainError(text: string): ReportedError | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('<')) return xmlErrorIn(trimmed);
  return trimmed === '' ? undefined : errorOf(trimmed.slice(0, LONGEST_TEXT));
}

/**
 * What is said in a form that nobody knows: the error within, or all of it as it is, a field a line, as words of two of them mean
 * nothing together. A 404 or 410 without words is about the path.
 */
function formlessError(json: JsonObject, text: string, status: number): ReportedError | undefined {
  const fields = Object.entries(json);
  if (status === 404 || status === 410 || fields.length === 0) return undefined;
  const [, within] = fields.find(([name, value]) => NAMES_ERROR.test(name) && isObject(value)) ?? [];
  const error = isObject(within) ? (errorIn(within) ?? bareErrorIn(within)) : undefined;
  return error ?? errorOf(text.trim().slice(0, LONGEST_TEXT).replaceAll(',"', ',\n"'));
}

/** An error of which only the words are known. */
export function errorOf(message: string): ReportedError {
  return { message, status: undefined, type: undefined, code: undefined };
}
