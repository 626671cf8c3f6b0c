import { BROKEN_OFF, type ReportedError } from '@morgan/host-errors';
import type { TransportResponse } from '@morgan/http-transport';
import {
  type Dialect,
  firstByte,
  type HostResponseBody,
  isClosed,
  isOfFirst,
  lastByte,
  readBody,
} from '@morgan/llm-protocol';
import { LongJsonBody } from './long-json-body.ts';
import { failed, type Opening } from './opening.ts';

const CLOSING = '}'.charCodeAt(0);
const OPENING = '{'.charCodeAt(0);
const CLOSING_LIST = ']'.charCodeAt(0);
const SPACE = 0x20;
const LONGEST_FIELD = 'event:'.length;

/** More than any error takes. Sound without a header may begin like a JSON, and its listener waits. */
export const MOST_OF_ERROR_BYTES = 16 * 1024;

/** What a body is that is no stream. @param bytes all of it; none where it is longer than what is held back. */
export function openText(response: TransportResponse, bytes: Buffer | undefined, dialect: Dialect): Opening {
  const type = response.headers['content-type']?.toLowerCase() ?? '';
  const isPage = type.startsWith('text/html');
  if (!bytes && isPage) response.discard();
  if (!bytes) return isPage ? failed('html') : { kind: 'content', body: longBody(response, type) };
  const text = beginningOf(bytes);
  if (text === '') return failed('empty');
  if (text.startsWith('<')) return failed('html');
  if (hasGap(bytes, dialect)) return { kind: 'failed', outcome: 'error_in_answer', error: GAP };
  if (text.startsWith('{')) return openJson(bytes, dialect);
  const isList = text.startsWith('[');
  if (isPage && !isList) return failed('html');
  const isNull = dialect.isNothing && /^null\s*$/.test(text);
  if (dialect.name !== 'plain' || isNull || (dialect.isJson && !isList)) return openList(bytes, dialect);
  if (isList && type.includes('json') && bytes[lastByte(bytes)] !== CLOSING_LIST) return failed('cut');
  return { kind: 'content', whole: bytes };
}

const GAP: ReportedError = {
  status: undefined,
  type: undefined,
  code: undefined,
  message: 'The host could not compute all numbers of its answer: some are null, NaN or Infinity.',
};
const GAPS = ['null', 'NaN', 'Infinity'];

/** One number that is missing may stand for others that are wrong: whoever stores or sorts them does not see it. */
function hasGap(bytes: Buffer, { gap }: Dialect): boolean {
  return gap !== undefined && GAPS.some((each) => bytes.includes(each)) && gap.test(bytes.toString('latin1'));
}

function longBody({ body }: TransportResponse, type: string): HostResponseBody {
  return type.includes('json') ? new LongJsonBody(body) : body;
}

/** No answer is one, but an error may be in it. */
function openList(bytes: Buffer, dialect: Dialect): Opening {
  const error = readBody(dialect, bytes)?.error;
  return error ? { kind: 'failed', outcome: 'error_in_answer', error } : failed('wrong_type');
}

/** Only what may be an error is parsed: a good response costs a search for a few words. */
function openJson(bytes: Buffer, dialect: Dialect): Opening {
  const text = bytes.toString('latin1');
  const isWhole = dialect.name === 'plain' ? bytes[lastByte(bytes)] === CLOSING : isClosed(text);
  if (!isWhole) return failed(isLines(text) ? 'wrong_type' : 'cut');
  const error = mayBeError(text, dialect) ? readBody(dialect, bytes)?.error : undefined;
  if (error) return { kind: 'failed', outcome: 'error_in_answer', error };
  return { kind: 'content', whole: bytes };
}

/** Whether it is a JSON in each line, as other APIs stream. */
function isLines(text: string): boolean {
  const end = text.indexOf('\n');
  return end > 0 && isClosed(text.slice(0, end)) && text.slice(end).trimStart().startsWith('{');
}

/** The key of an error object; in a text of the answer quotes have a backslash. */
const ERROR = /error"/;
/** The key of an error object, finish reasons of an answer that broke off, and signs of an empty one. */
const ODD_WORDS = [
  '"message": ?(null|")',
  'error"',
  'ERROR"',
  '"completion_tokens": ?0',
  ...[...BROKEN_OFF].map((end) => `"${end}"`),
  'MALFORMED_FUNCTION_CALL"',
  'UNEXPECTED_TOOL_CALL"',
];
const ODD_END = new RegExp(ODD_WORDS.join('|'));
/** What short answers of any form have that are errors, and a few others. */
const CODED = /"(error_)?code"|"status(Code|_code)?"|"success"|"detail"/;

function mayBeError(text: string, dialect: Dialect): boolean {
  const { resultKey, hasEnd, isKept, objectName } = dialect;
  if (isKept) return false;
  const words = hasEnd && objectName !== undefined ? ODD_END : ERROR;
  if (words.test(text)) return true;
  if (resultKey !== undefined) return !hasResult(text, resultKey);
  return text.length <= MOST_OF_ERROR_BYTES && (dialect.isNothing !== undefined || CODED.test(text));
}

/** Whether there is a list under the key, and an object in it, as far as that shows without reading it. */
function hasResult(text: string, resultKey: string): boolean {
  return hasBehind(text, `"${resultKey}":[`) || hasBehind(text, `"${resultKey}": [`);
}

function hasBehind(text: string, opening: string): boolean {
  const at = text.indexOf(opening);
  const first = text.charCodeAt(at + opening.length);
  return at >= 0 && (first === OPENING || first <= SPACE) && isOfFirst(text.slice(0, at));
}

/** The first characters of a body behind white space: as many as the name of an event's field has. */
export function beginningOf(bytes: Buffer): string {
  const start = firstByte(bytes);
  return bytes.toString('latin1', start, start + LONGEST_FIELD);
}

/** What was heard may begin so as well, and end otherwise. */
export function isObjectIn(bytes: Buffer): boolean {
  return beginningOf(bytes).startsWith('{') && bytes[lastByte(bytes)] === CLOSING;
}
