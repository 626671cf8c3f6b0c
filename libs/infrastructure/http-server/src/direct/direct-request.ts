import type { IncomingHttpHeaders } from 'node:http';
import { MOST_HEADERS } from '../connections/request-head.ts';
import type { IncomingRequest } from '../http-exchange.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
/** A longer head is Node's to refuse. */
const LONGEST_HEAD = 16 * 1024;
const REQUEST_LINE = /^(GET|POST|DELETE) (\/[!"$-~]*) HTTP\/1\.1\r\n/;
/** The value with the blanks around it. Nothing in it can be read in two ways, so that it takes linear time. */
const HEADER_LINE = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)\r\n/y;
const LENGTH = /^\d{1,6}$/;
const JSON_TYPE = /^application\/json\b/i;

/** Of requests with these, what they mean is Node's to know, and ours behind it. */
const OTHERS = [
  'transfer-encoding',
  'expect',
  'upgrade',
  'content-encoding',
  'trailer',
  'proxy-connection',
] as const;

/** Most names of headers come again and again. */
const NAMES = new Map<string, string>();
const MOST_NAMES = 1_000;

/** A request that was read without Node's parser: it is complete. */
class DirectRequest implements IncomingRequest {
  readonly httpVersion = '1.1';
  readonly complete = true;
  readonly destroyed = false;

  constructor(
    readonly method: string,
    readonly url: string,
    readonly headers: IncomingHttpHeaders,
    readonly rawHeaders: string[],
  ) {}
}

/** What the first bytes of a request are. */
export interface DirectReading {
  readonly request: DirectRequest;
  /** Where its body begins, and where it ends. */
  readonly bodyAt: number;
  readonly end: number;
}

/**
 * Reads the head of a request that is as nearly all are: HTTP/1.1, no header twice, a JSON body of a known length or none,
 * nothing that asks for more than an answer. It takes less than what Node's parser takes, never more: whatever is not clearly
 * such a request is left to that.
 */
export function readDirectly(bytes: Buffer): DirectReading | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0 || headEnd > LONGEST_HEAD) return undefined;
  const head = bytes.toString('latin1', 0, headEnd + 2);
  const line = REQUEST_LINE.exec(head);
  if (!line) return undefined;
  const headers: IncomingHttpHeaders = {};
  const rawHeaders: string[] = [];
  for (let at = line[0].length; at < head.length; at = HEADER_LINE.lastIndex) {
    HEADER_LINE.lastIndex = at;
    const [, name = '', padded = ''] = HEADER_LINE.exec(head) ?? [];
    if (name === '') return undefined;
    const lower = lowerCase(name);
    if (lower in headers) return undefined;
    const value = withoutBlanks(padded);
    headers[lower] = value;
    rawHeaders.push(name, value);
  }
  const length = bodyLength(headers);
  if (length === undefined || rawHeaders.length > 2 * MOST_HEADERS) return undefined;
  const bodyAt = headEnd + HEAD_END.length;
  const [, method = '', url = ''] = line;
  return { request: new DirectRequest(method, url, headers, rawHeaders), bodyAt, end: bodyAt + length };
}

/** @returns none for a request that Node is to read. */
function bodyLength(headers: IncomingHttpHeaders): number | undefined {
  const { host, connection = 'keep-alive', 'content-length': length, 'content-type': type } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive') return undefined;
  for (const name of OTHERS) if (headers[name] !== undefined) return undefined;
  if (length === undefined) return 0;
  return LENGTH.test(length) && (length === '0' || JSON_TYPE.test(type ?? '')) ? Number(length) : undefined;
}

function lowerCase(name: string): string {
  let lower = NAMES.get(name);
  if (lower === undefined) {
    lower = name.toLowerCase();
    if (NAMES.size < MOST_NAMES) NAMES.set(name, lower);
  }
  return lower;
}

/** Not `trim`, which takes more than blanks and tabs. */
function withoutBlanks(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
