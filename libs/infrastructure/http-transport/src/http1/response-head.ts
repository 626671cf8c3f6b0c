import type { IncomingHttpHeaders } from 'node:http';
import { badResponse } from './bad-response.ts';

/** Anything but text within lines that end as they should. */
const BAD_TEXT = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|[^\r]\n/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const BEYOND_ASCII = /[\x80-\xff]/;
const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i;
const TIMEOUT = /timeout=(\d{1,9})/i;
const LENGTH = /^\d{1,15}$/;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?:[ \r]|$)/;
const CHUNKED = /(?:^|,)[\t ]*chunked$/i;

/** Names that were found to be good, as servers spell them. A server chooses them, so there is an end to how many are kept. */
const names = new Map<string, string>();
const MOST_NAMES = 1_000;

/** How the end of a body shows: so many bytes, its last chunk, or the end of the connection. */
type BodyLength = number | 'chunked' | 'until close';

/** Status line and headers of a response. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case, as undici has them: a repeated header is a list. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  readonly bodyLength: BodyLength;
  /** Whether the connection may serve further requests. */
  readonly isKept: boolean;
  /** How long the server says that it keeps an idle connection, in milliseconds. */
  readonly keptForMs: number | undefined;
}

/**
 * Reads what stands in front of a body, without the empty line at its end. As strict as RFC 9112 allows: whoever is
 * misunderstood about where a response ends has its bytes taken for the answer to somebody else.
 * @throws HTTPParserError for anything that is not HTTP/1.0 or HTTP/1.1.
 */
export function readHead(text: string, isHead: boolean): ResponseHead {
  if (BAD_TEXT.test(text)) throw badResponse('bytes that no header has');
  let end = lineEnd(text, 0);
  const status = statusIn(text);
  const isNew = text.charCodeAt(7) === 0x31;
  const headers = Object.create(null) as Record<string, string | string[]>;
  const rawHeaders: string[] = [];
  let length: string | undefined;
  let coding: string | undefined;
  let connection = '';
  let keptForMs: number | undefined;
  for (let at = end + 2; at < text.length; at = end + 2) {
    end = lineEnd(text, at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > end) throw badResponse('a line that is no header');
    const name = text.slice(at, colon);
    const lower = names.get(name) ?? nameOf(name);
    const value = valueIn(text, colon + 1, end);
    rawHeaders.push(name, value);
    add(headers, lower, BEYOND_ASCII.test(value) ? Buffer.from(value, 'latin1').toString() : value);
    if (lower === 'content-length') {
      if (length !== undefined || !LENGTH.test(value)) throw badResponse('its length is not one number');
      length = value;
    } else if (lower === 'transfer-encoding') {
      if (value === '') throw badResponse('a coding without a name');
      coding = coding === undefined ? value : `${coding},${value}`;
    } else if (lower === 'connection') connection = connection === '' ? value : `${connection},${value}`;
    else if (lower === 'keep-alive') keptForMs = secondsIn(value);
  }
  if (length !== undefined && coding !== undefined) throw badResponse('two ways to say where it ends');
  const isBare = isHead || status < 200 || status === 204 || status === 304;
  const bodyLength = isBare ? 0 : bodyLengthOf(length, coding);
  // Where a body comes all the same, it would be taken for the next response.
  const isTrusted = !isBare || isHead || (Number(length ?? 0) === 0 && coding === undefined);
  const isOffered = isNew ? !CLOSE.test(connection) : KEEP_ALIVE.test(connection) && coding === undefined;
  const isKept = isOffered && isTrusted && bodyLength !== 'until close';
  return { status, headers, rawHeaders, bodyLength, isKept, keptForMs };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end === -1 ? text.length : end;
}

function statusIn(text: string): number {
  const status = Number(STATUS_LINE.exec(text)?.[1]);
  if (status >= 100 && status !== 101) return status;
  throw badResponse(status === 101 ? 'an upgrade that nobody asked for' : 'no status line');
}

function nameOf(name: string): string {
  if (!TOKEN.test(name)) throw badResponse('a name that no header has');
  const lower = name.toLowerCase();
  if (names.size < MOST_NAMES) names.set(name, lower);
  return lower;
}

function valueIn(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function add(headers: Record<string, string | string[]>, name: string, value: string): void {
  const before = headers[name];
  if (before === undefined) headers[name] = value;
  else if (typeof before === 'string') headers[name] = [before, value];
  else before.push(value);
}

function bodyLengthOf(length: string | undefined, coding: string | undefined): BodyLength {
  if (length !== undefined) return Number(length);
  if (coding === undefined) return 'until close';
  if (CHUNKED.test(coding)) return 'chunked';
  if (/chunked/i.test(coding)) throw badResponse('chunks that are not the last coding');
  return 'until close';
}

function secondsIn(value: string): number | undefined {
  const seconds = TIMEOUT.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
