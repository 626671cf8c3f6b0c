import { type ResponseBody, TransportError, type TransportResponse } from '@morgan/http-transport';
import type { Dialect } from '../dialects/dialect.ts';
import { readBody } from '../dialects/event-reader.ts';
import type { ReportedError } from '../dialects/reported-error.ts';
import type { Outcome } from '../evidence/outcome.ts';
import { OUTCOME_OF_FAULT } from '../evidence/transport-outcome.ts';
import { HostStream, type HostStreamOptions } from '../streams/host-stream.ts';
import { StreamBody } from '../streams/stream-body.ts';
import { StreamFault, type StreamFaultReason } from '../streams/stream-fault.ts';
import { BodyStart } from './body-start.ts';
import { type AnswerBody, WholeBody } from './whole-body.ts';

/** How an answer with a good status begins. */
export type Opening =
  /** `stream`: the events of the same body, of which only one of both can be read. */
  | { readonly kind: 'content'; readonly body: AnswerBody; readonly stream?: HostStream }
  | {
      readonly kind: 'failed';
      readonly outcome: Outcome;
      readonly error?: ReportedError;
      readonly cause?: unknown;
    };

/** More of an answer than this is not held back: what is wrong with it stands at its beginning. */
const MOST_HELD_BYTES = 1024 * 1024;

/** What a stream is that ended before its first content; a broken connection is whatever broke it. */
const OUTCOME_OF_STREAM: Readonly<Partial<Record<StreamFaultReason, Outcome>>> = {
  first_content_timeout: 'timeout',
  event_too_large: 'bad_response',
  empty: 'empty',
  unfinished: 'cut',
};

const failed = (outcome: Outcome): Opening => ({ kind: 'failed', outcome });

/**
 * Reads an answer until it is known to be one: a stream up to its first content, anything else to its end, or its first
 * megabyte. Nothing is lost: the body that is handed on begins with the bytes that were read here.
 * @param options of a stream; its first content, and all of an answer that is none, have `firstContentMs`.
 */
export async function openAnswer(response: TransportResponse, options: HostStreamOptions): Promise<Opening> {
  const { status, headers, body } = response;
  const type = headers['content-type']?.toLowerCase() ?? '';
  if (status === 204 || status === 205) return discard(response, 'empty');
  if (type.startsWith('text/html')) return discard(response, 'html');
  if (type.startsWith('text/event-stream')) return openStream(body, options);
  try {
    return await openWhole(new BodyStart(body), type, options);
  } catch (error) {
    body.destroy();
    return failedBy(error);
  }
}

async function openStream(body: ResponseBody, options: HostStreamOptions): Promise<Opening> {
  const stream = new HostStream(body, options);
  try {
    await stream.opened();
    return { kind: 'content', body: new StreamBody(stream), stream };
  } catch (fault) {
    if (!(fault instanceof StreamFault)) throw fault;
    const { reason, reported, cause } = fault;
    if (reported) return { kind: 'failed', outcome: 'error_in_answer', error: reported };
    const outcome = OUTCOME_OF_STREAM[reason];
    if (outcome || !cause) return { kind: 'failed', outcome: outcome ?? 'cut', cause: fault };
    return failedBy(cause);
  }
}

async function openWhole(
  start: BodyStart,
  type: string,
  { dialect, limits, startedAt = performance.now() }: HostStreamOptions,
): Promise<Opening> {
  const limitMs = Math.max(1, startedAt + limits.firstContentMs - performance.now());
  const isText = type === '' || type.includes('json') || type.startsWith('text/');
  // Speech, images: nothing in them could be read here. The first bytes are content.
  const takesBytes = dialect.name === 'plain' && !isText;
  const decided = await start.read((_, held) => takesBytes || held > MOST_HELD_BYTES, limitMs);
  if (decided) return { kind: 'content', body: start.body };
  const bytes = start.bytes();
  const text = bytes.subarray(0, 64).toString().trimStart();
  if (text === '') return failed('empty');
  if (takesBytes) return { kind: 'content', body: new WholeBody(bytes) };
  if (text.startsWith('<')) return failed('html');
  if (text.startsWith('{')) return openJson(bytes, dialect);
  if (dialect.name !== 'plain' && !text.startsWith('data:')) return failed('wrong_type');
  return { kind: 'content', body: new WholeBody(bytes) };
}

/** Only what may be an error is parsed: a good answer costs a search for a word. */
function openJson(bytes: Buffer, dialect: Dialect): Opening {
  if (!/\}\s*$/.test(bytes.subarray(-64).toString('latin1'))) return failed('cut');
  const error = bytes.includes('"error"') ? readBody(dialect, bytes)?.error : undefined;
  if (error) return { kind: 'failed', outcome: 'error_in_answer', error };
  return { kind: 'content', body: new WholeBody(bytes) };
}

/** The body broke: what its reader meets is meant for callers; the fault itself is the cause. */
function failedBy(error: unknown): Opening {
  const fault = error instanceof TransportError ? error : (error as Error | undefined)?.cause;
  if (!(fault instanceof TransportError)) throw error;
  return { kind: 'failed', outcome: OUTCOME_OF_FAULT[fault.reason], cause: error };
}

function discard(response: TransportResponse, outcome: Outcome): Opening {
  response.discard();
  return failed(outcome);
}
