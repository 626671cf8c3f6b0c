import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { isHttpStatus, statusIn } from './error-status.ts';
import { detailText, textIn } from './error-text.ts';
import { saidBeside, withReason } from './said-beside.ts';

/** An error as a host reports it or as a dialect tells it, whatever its shape on the wire. */
export interface ReportedError {
  /** The HTTP status that it stands for, where that can be told. */
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly message: string;
  readonly param?: string | undefined;
  /** When to come back, in milliseconds, where the error itself says so. */
  readonly retryAfterMs?: number | undefined;
  /** The same as a moment on the host's own clock, in milliseconds since 1970. */
  readonly resetsAtMs?: number | undefined;
  /** What a router's own host said, where the message only says that there was an error. */
  readonly behind?: string;
  /** Headers of that host, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** More of a text is not looked into and not told: what is wrong stands at its beginning, and a host chooses its length. */
const LONGEST_MESSAGE = 16_384;
/** The same of a name: a type, a code, a field. */
const LONGEST_NAME = 256;

/** Reasons for the end of a choice that are no end of an answer: what makes it broke off. */
export const BROKEN_OFF: ReadonlySet<string> = new Set([
  'error',
  'network_error',
  'abort',
  'aborted',
  'timeout',
  'cancelled',
  'canceled',
  'failed',
  'insufficient_system_resource',
  'malformed_function_call',
  'unexpected_tool_call',
]);
/** How Google's OpenAI API names those of a call of a tool. */
const OF_CALL = /^function_call_filter: /;

/**
 * The error object in a host's response or event, whose status line may say 200: OpenAI's and Anthropic's `error`, vLLM's
 * `object: error`, FastAPI's `detail`, the bare text of Ollama and text-generation-inference, `response.failed`, a choice
 * that broke off.
 */
export function errorIn(json: JsonObject): ReportedError | undefined {
  const { detail, choices, response, x_groq: groq } = json;
  const error = Array.isArray(json['error']) ? (json['error'][0] as unknown) : json['error'];
  if (isObject(error) && saysSomething(error, choices))
    return Object.keys(error).length > 0
      ? describe(innermost(error), json)
      : (bareErrorIn(json) ?? describe(error));
  if (typeof error === 'string' && error !== '') return describe(named(error, json));
  if (error === true) return bareErrorIn(json) ?? describe({});
  // The event of a response has its own type where an error has that of its fault.
  if (json['type'] === 'error') return describe({ ...json, type: undefined });
  if (json['object'] === 'error') return describe(json);
  if (isObject(response) && (json['type'] === 'response.failed' || response['status'] === 'failed'))
    return errorIn(response);
  if (detail !== undefined && Object.keys(json).length === 1)
    return describe({ message: detailText(detail) });
  // Why Groq has stopped early.
  if (isObject(groq) && textOrNone(groq['error'])) return describe({ message: groq['error'] });
  return Array.isArray(choices) ? errorOfChoice(choices.filter(isObject)) : undefined;
}

const SUCCESS_CODES: ReadonlySet<unknown> = new Set([0, 200, '0', '200']);
/** Not "failed", which a job has that was asked for its state. */
const FAILED_STATES: ReadonlySet<unknown> = new Set(['error', 'failure', 'fail']);
/** What a code that is a text says where all is well, and such a message. */
const SUCCESS_WORD = /^(2\d\d|ok|success\w*)$/i;

/** The error in a JSON that is no answer, as it has a text of its own, and none of the shapes above. */
export function bareErrorIn(json: JsonObject): ReportedError | undefined {
  const { code, success } = json;
  if (success === true || SUCCESS_CODES.has(code ?? json['error_code'])) return undefined;
  return wordsIn(json);
}

/** The same of one that has no answer or calls itself an error, whatever its code says: the code may be that of a router in between. */
export function wordsIn(json: JsonObject): ReportedError | undefined {
  const fields = partWithError(json);
  const message = textIn(fields);
  return message === undefined || SUCCESS_WORD.test(message) ? undefined : describe({ ...fields, message });
}

/**
 * The same where any JSON may be an answer: it has a code or a state as errors have, and nothing besides that could be what
 * was asked for.
 */
export function codedErrorIn(json: JsonObject): ReportedError | undefined {
  const { code = json['error_code'], status, success, base_resp: base } = json;
  const isRefused = success === false || (isObject(base) && base['status_code'] !== 0);
  const isCoded =
    FAILED_STATES.has(status) ||
    isHttpStatus(Number(status ?? json['statusCode'])) ||
    (textOrNone(code) !== undefined && !SUCCESS_WORD.test(String(code))) ||
    typeof code === 'number';
  const holdsMore = () => Object.values(json).some((value) => isObject(value) || hasItems(value));
  return isRefused || (isCoded && !holdsMore()) ? bareErrorIn(json) : undefined;
}

function hasItems(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function partWithError(json: JsonObject): JsonObject {
  const { errors, base_resp: base, fault } = json;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (isObject(first)) return first;
  if (typeof first === 'string') return { message: first };
  if (isObject(base) && base['status_code'] !== 0) return base;
  return isObject(fault) ? fault : json;
}

/** The error with each of its texts changed so. */
export function withTexts(error: ReportedError, change: (text: string) => string): ReportedError {
  const changed = (text: string | undefined) => (text === undefined ? undefined : change(text));
  const { message, type, code, param } = error;
  return {
    ...error,
    message: change(message),
    type: changed(type),
    code: changed(code),
    param: changed(param),
  };
}

/** Not the empty shell that some responses have in the place of an error, and some beside their choices. */
function saysSomething(error: JsonObject, choices?: unknown): boolean {
  const values = Object.values(error);
  return values.length === 0 ? !Array.isArray(choices) : values.some(Boolean);
}

/** Some wrap what they were told once more. */
function innermost(error: JsonObject): JsonObject {
  const { error: inner } = error;
  return isObject(inner) && textIn(error) === undefined ? inner : error;
}

/** Where there is a message besides, the text under `error` is only its name. */
function named(error: string, json: JsonObject): JsonObject {
  if (textOrNone(json['message']) === undefined) return { ...json, message: error };
  return { ...json, code: json['code'] ?? json['status'] ?? json['statusCode'] ?? error };
}

function errorOfChoice(choices: readonly JsonObject[]): ReportedError | undefined {
  for (const { error, finish_reason: reason, native_finish_reason: native } of choices) {
    if (isObject(error) && saysSomething(error, choices)) return describe(error);
    const broken = [reason, native].map(wordOf).find((word) => word !== undefined && isBrokenOff(word));
    if (broken !== undefined)
      return describe({ message: `The answer broke off with the reason "${broken}".` });
  }
  return undefined;
}

/** SGLang's engine has an object for it. */
function wordOf(reason: unknown): string | undefined {
  return textOrNone(isObject(reason) ? reason['type'] : reason);
}

/** Routers put before `error` whose it is. */
function isBrokenOff(reason: string): boolean {
  const word = reason.toLowerCase().replace(OF_CALL, '');
  return BROKEN_OFF.has(word) || word.endsWith('error');
}

/** @param around what the error stands in, where some say its status. */
function describe(fields: JsonObject, around: JsonObject = {}): ReportedError {
  const type = nameOf(textOrNone(fields['type']) ?? textOrNone(fields['error_type']) ?? awsType(fields));
  const code = fields['code'] ?? fields['status'] ?? fields['statusCode'] ?? fields['error_code'];
  const named = isHttpStatus(Number(code)) ? undefined : nameOf(textOrNone(code));
  const more = saidBeside(fields, around);
  return {
    status: statusIn([fields, around], [named, type]),
    type,
    code: named,
    message: withReason(
      messageOf(fields) ?? named ?? type ?? 'The host reported an error without a message.',
      more.behind,
    ),
    ...(typeof fields['param'] === 'string' && { param: nameOf(fields['param']) }),
    ...more,
  };
}

/** AWS writes the name behind a namespace. */
function awsType(fields: JsonObject): string | undefined {
  return textOrNone(fields['__type'])?.split('#').at(-1);
}

function nameOf(text: string | undefined): string | undefined {
  return text?.slice(0, LONGEST_NAME);
}

function messageOf(fields: JsonObject): string | undefined {
  return textOrNone(textIn(fields)?.slice(0, LONGEST_MESSAGE));
}
