import { TransportError, type TransportResponse } from '@morgan/http-transport';
import type { Dialect } from '../dialects/dialect.ts';
import { EventReader, readBody } from '../dialects/event-reader.ts';
import type { ReportedError } from '../dialects/reported-error.ts';
import type { Outcome } from '../evidence/outcome.ts';
import { OUTCOME_OF_FAULT } from '../evidence/transport-outcome.ts';
import { SseReader } from '../streams/sse-reader.ts';
import { StreamFault } from '../streams/stream-fault.ts';
import { BodyStart } from './body-start.ts';
import type { AnswerBody } from './whole-body.ts';

/** What there is to hand out: all of the answer, after a clean end, or the beginning of it. */
export type Content = { readonly kind: 'content' } & (
  | { readonly whole: Buffer; readonly body?: undefined }
  | { readonly whole?: undefined; readonly body: AnswerBody }
);

/** How an answer with a good status begins. */
export type Opening =
  | Content
  | {
      readonly kind: 'failed';
      readonly outcome: Outcome;
      readonly error?: ReportedError;
      readonly cause?: unknown;
    };

/** More of an answer than this is not held back: what is wrong with it stands at its beginning. */
const MOST_HELD_BYTES = 1024 * 1024;

const failed = (outcome: Outcome): Opening => ({ kind: 'failed', outcome });

/**
 * Reads an answer until it is known to be one: a stream up to its first content, anything else to its end, or its first
 * megabyte. Nothing is lost: the body that is handed on begins with the bytes that were read here.
 * @param limitMs how long its first content may take from now on; all of it, where it is not streamed.
 */
export async function openAnswer(
  response: TransportResponse,
  dialect: Dialect,
  limitMs: number,
): Promise<Opening> {
  const { status, headers } = response;
  const type = headers['content-type']?.toLowerCase() ?? '';
  if (status === 204 || status === 205) return discard(response, 'empty');
  if (type.startsWith('text/html')) return discard(response, 'html');
  try {
    if (type.startsWith('text/event-stream'))
      return await openStream(new BodyStart(response.body), dialect, limitMs);
    return await openWhole(response, { dialect, type, limitMs });
  } catch (error) {
    response.discard();
    return { kind: 'failed', outcome: outcomeOf(error), cause: error };
  }
}

async function openStream(start: BodyStart, dialect: Dialect, limitMs: number): Promise<Opening> {
  const stream = new StreamStart(dialect);
  const decided = await start.read((chunk, held) => stream.take(chunk) || held > MOST_HELD_BYTES, limitMs);
  if (decided && !stream.error) return { kind: 'content', body: start.body };
  if (decided) start.body.destroy();
  else stream.end();
  if (stream.error) return { kind: 'failed', outcome: 'error_in_answer', error: stream.error };
  if (stream.isComplete) return { kind: 'content', whole: start.bytes() };
  return failed(stream.hasEvents ? 'cut' : 'empty');
}

async function openWhole(
  response: TransportResponse,
  { dialect, type, limitMs }: { dialect: Dialect; type: string; limitMs: number },
): Promise<Opening> {
  const isText = type === '' || type.includes('json') || type.startsWith('text/');
  if (dialect.name === 'plain' && !isText) return openBytes(new BodyStart(response.body), limitMs);
  const bytes = await response.bytesUpTo(MOST_HELD_BYTES, limitMs);
  if (!bytes) return { kind: 'content', body: response.body };
  const text = bytes.toString('latin1', 0, 64).trimStart();
  if (text === '') return failed('empty');
  if (text.startsWith('<')) return failed('html');
  if (text.startsWith('{')) return openJson(bytes, dialect);
  if (dialect.name !== 'plain' && !text.startsWith('data:')) return failed('wrong_type');
  return { kind: 'content', whole: bytes };
}

/** Speech, images: nothing in them could be read here. The first bytes are content. */
async function openBytes(start: BodyStart, limitMs: number): Promise<Opening> {
  if (await start.read(() => true, limitMs)) return { kind: 'content', body: start.body };
  return start.bytes().length === 0 ? failed('empty') : { kind: 'content', whole: start.bytes() };
}

/** Only what may be an error is parsed: a good answer costs a search for a word. */
function openJson(bytes: Buffer, dialect: Dialect): Opening {
  if (!/\}\s*$/.test(bytes.subarray(-64).toString('latin1'))) return failed('cut');
  const error = bytes.includes('"error"') ? readBody(dialect, bytes)?.error : undefined;
  if (error) return { kind: 'failed', outcome: 'error_in_answer', error };
  return { kind: 'content', whole: bytes };
}

/** The events of a stream up to the first that somebody waits for. */
class StreamStart {
  readonly #reader = new SseReader(4 * MOST_HELD_BYTES);
  readonly #events: EventReader;
  readonly #hasEnd: boolean;
  #isEnded = false;
  #isContent = false;
  hasEvents = false;
  error: ReportedError | undefined;

  constructor(dialect: Dialect) {
    this.#events = new EventReader(dialect);
    this.#hasEnd = dialect.hasEnd;
  }

  /** A clean end with nothing said is an answer too, if the host says that it is the end. */
  get isComplete(): boolean {
    return this.hasEvents && (this.#isEnded || !this.#hasEnd);
  }

  /** @returns whether it is known what the stream is. */
  take(chunk: Buffer): boolean {
    this.#reader.push(chunk, (event) => this.#read(event));
    return this.#isContent || this.error !== undefined;
  }

  end(): void {
    const rest = this.#reader.rest();
    if (rest) this.#read(rest);
  }

  #read(event: Parameters<EventReader['read']>[0]): void {
    if (this.#isContent || this.error) return;
    const { content, finished, isEnd, error, isMalformed, id, model, usage } = this.#events.read(event);
    this.error = error;
    this.#isContent = content !== undefined;
    this.#isEnded ||= finished > 0 || (isEnd && this.hasEvents);
    this.hasEvents ||= !isMalformed && (finished > 0 || (id ?? model ?? usage) !== undefined);
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof StreamFault) return 'bad_response';
  // The reader of a body meets what is meant for callers; the fault itself is the cause.
  const fault = error instanceof TransportError ? error : (error as Error).cause;
  if (fault instanceof TransportError) return OUTCOME_OF_FAULT[fault.reason];
  throw error;
}

function discard(response: TransportResponse, outcome: Outcome): Opening {
  response.discard();
  return failed(outcome);
}
