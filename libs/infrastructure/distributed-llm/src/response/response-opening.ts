import {
  type BodySource,
  readableBody,
  TransportError,
  type TransportResponse,
} from '@morgan/http-transport';
import {
  type Dialect,
  firstByte,
  HostStream,
  type HostStreamOptions,
  readBody,
  StreamFault,
  type StreamFaultReason,
} from '@morgan/llm-protocol';
import type { Outcome } from '../evidence/outcome.ts';
import { OUTCOME_OF_FAULT } from '../evidence/transport-outcome.ts';
import { beginningOf, isObjectIn, MOST_OF_ERROR_BYTES, openText } from './body-opening.ts';
import { BodyStart } from './body-start.ts';
import { failed, type Opening } from './opening.ts';

/** More of a response than this is not held back: what is wrong with it stands at its beginning. */
const MOST_HELD_BYTES = 1024 * 1024;

/** What a stream is that ended before its first content; a broken connection is whatever broke it. */
const OUTCOME_OF_STREAM: Readonly<Partial<Record<StreamFaultReason, Outcome>>> = {
  first_content_timeout: 'timeout',
  event_too_large: 'bad_response',
  empty: 'empty',
  unfinished: 'cut',
};

const NOTHING: Opening = { kind: 'content', whole: Buffer.alloc(0) };

/**
 * Reads a response until it is known to be one: a stream up to its first content, anything else to its end, or its first
 * megabyte. Nothing is lost: the body that is handed on begins with the bytes that were read here.
 * @param options of a stream; its first content, and all of a response that is none, have `firstContentMs`.
 * @param isStream whether a stream was asked for: what looks like one is one then, whatever its type says; where none was, one
 * is no answer, as no client takes it for JSON.
 */
export function openResponse(
  response: TransportResponse,
  options: HostStreamOptions,
  isStream = false,
): Promise<Opening> {
  const { status, headers } = response;
  const type = headers['content-type']?.toLowerCase() ?? '';
  const { hasEnd, isKept } = options.dialect;
  const isEvents = type.startsWith('text/event-stream');
  const isEmpty = status === 204 || status === 205;
  if (isEmpty) {
    response.discard();
    return Promise.resolve(options.mayBeNothing ? NOTHING : failed('empty'));
  }
  if (isEvents && (isStream || isKept || !hasEnd)) return openStream(response, response, options);
  const mayBeOther = hasEnd && (isEvents || isStream);
  return mayBeOther ? openUntyped(response, options, isStream) : openWhole(response, type, options);
}

async function openStream(
  response: TransportResponse,
  body: BodySource,
  options: HostStreamOptions,
): Promise<Opening> {
  const stream = new HostStream(body, options);
  try {
    await stream.opened();
    return { kind: 'content', stream };
  } catch (fault) {
    if (!(fault instanceof StreamFault)) throw fault;
    const { reason, reported, cause } = fault;
    if (reported) return { kind: 'failed', outcome: 'error_in_answer', error: reported };
    const { json } = stream;
    if (reason === 'empty' && json) return openText(response, json, options.dialect);
    const outcome = OUTCOME_OF_STREAM[reason];
    if (outcome || !cause) return { kind: 'failed', outcome: outcome ?? 'cut', cause: fault };
    return failedBy(cause);
  }
}

async function openWhole(
  response: TransportResponse,
  type: string,
  options: HostStreamOptions,
): Promise<Opening> {
  const { dialect } = options;
  const limitMs = restOfTime(options);
  const isSubtitles = type.includes('subrip');
  const isText = type === '' || type.includes('json') || type.startsWith('text/') || isSubtitles;
  try {
    if (dialect.name === 'plain' && !isText && !dialect.isJson)
      return await openBytes(new BodyStart(response.body), limitMs, dialect);
    const bytes = await response.bytesUpTo(MOST_HELD_BYTES, limitMs);
    if (bytes?.length === 0 && options.mayBeNothing) return NOTHING;
    const isTranscript = dialect.isTranscript && (type.startsWith('text/') || isSubtitles);
    if (bytes && isTranscript && !isObjectIn(bytes))
      return isWebPage(bytes) ? failed('html') : { kind: 'content', whole: bytes };
    return openText(response, bytes, dialect);
  } catch (error) {
    response.discard();
    return failedBy(error);
  }
}

/** How the lines of an event stream begin. */
const EVENT_LINE = /^(data|event|id|retry)?:/;
const LONGEST_FIELD = 'event:'.length;

/** A stream may come as plain text or without a type, and a JSON as a stream: not every host looks at what it sends. */
async function openUntyped(
  response: TransportResponse,
  options: HostStreamOptions,
  isStream: boolean,
): Promise<Opening> {
  const start = new BodyStart(response.body);
  try {
    const isMore = await start.read(untilLine(), restOfTime(options));
    const isEvents = isMore && EVENT_LINE.test(beginningOf(start.bytes()));
    if (isEvents && isStream) return await openStream(response, readableBody(start.body), options);
    if (isEvents) response.discard();
    if (isEvents) return failed('wrong_type');
    const rest = isMore ? new BodyStart(start.body) : start;
    const isLong = isMore && (await rest.read((_, held) => held > MOST_HELD_BYTES, restOfTime(options)));
    return openText(response, isLong ? undefined : rest.bytes(), options.dialect);
  } catch (error) {
    response.discard();
    return failedBy(error);
  }
}

/** Whether a line has begun behind the white space, each byte of which is looked at once. */
function untilLine(): (chunk: Buffer, held: number) => boolean {
  let blank = 0;
  return (chunk, held) => {
    if (blank === held - chunk.length) blank += firstByte(chunk);
    return held > MOST_HELD_BYTES || held - blank >= LONGEST_FIELD;
  };
}

function restOfTime({ limits, startedAt = performance.now() }: HostStreamOptions): number {
  return Math.max(1, startedAt + limits.firstContentMs - performance.now());
}

const WEB_PAGE = /^<(!doctype html|html|head|body)\b/i;
const LONGEST_OPENING = '<!doctype html '.length;

/** Some hosts call every transcript HTML, and subtitles begin with tags as well. */
function isWebPage(bytes: Buffer): boolean {
  const start = firstByte(bytes);
  return WEB_PAGE.test(bytes.toString('latin1', start, start + LONGEST_OPENING));
}

/**
 * Speech, images: nothing in them could be read here. The first bytes are content, but for a short JSON: some hosts
 * report an error with the type of what they were asked for.
 */
async function openBytes(start: BodyStart, limitMs: number, dialect: Dialect): Promise<Opening> {
  let isJson: boolean | undefined;
  const isMore = await start.read((chunk, held) => {
    isJson ??= beginningOf(chunk).startsWith('{');
    return !isJson || held > MOST_OF_ERROR_BYTES;
  }, limitMs);
  if (isMore) return { kind: 'content', body: start.body };
  const whole = start.bytes();
  if (whole.length === 0) return failed('empty');
  const error = isJson ? readBody(dialect, whole)?.error : undefined;
  return error ? { kind: 'failed', outcome: 'error_in_answer', error } : { kind: 'content', whole };
}

/** The body broke: what its reader meets is meant for callers; the fault itself is the cause. */
function failedBy(error: unknown): Opening {
  const fault = error instanceof TransportError ? error : (error as Error | undefined)?.cause;
  if (!(fault instanceof TransportError)) throw error;
  return { kind: 'failed', outcome: OUTCOME_OF_FAULT[fault.reason], cause: error };
}
