import { AppError, type CallContext, Deadline, isObject, type JsonObject, newCall } from '@morgan/foundation';
import { bytesOf, dialectOf, SseReader } from '@morgan/llm-protocol';
import type { HostResponse } from '../call/host-response.ts';
import { HostError } from './host-error.ts';

/** What a caller may say about one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** For the whole call, the body included, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** A JSON response, and who gave it. */
export interface JsonResponse {
  readonly data: unknown;
  readonly host: string;
  /** The model that answered, as it was asked for there. */
  readonly model: string | undefined;
  readonly attempts: number;
}

const MOST_EVENT_BYTES = 4 * 1024 * 1024;
/** Far above any answer in JSON: it is held as a whole, and its host chooses its length. */
const MOST_BYTES = 64 * 1024 * 1024;
const DONE = '[DONE]';

/** The context of a call that does not come from the HTTP edge. */
export function contextOf({ signal, timeoutMs }: CallOptions): CallContext {
  return newCall({ signal, deadline: timeoutMs === undefined ? undefined : Deadline.after(timeoutMs) });
}

/** The path with a slash in front: without it, it would continue the last word of the base URL. */
export function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** @throws HostError where the host refused; AppError `host_error` where it answered in no JSON, or with more than 64 MiB. */
export async function readJson(response: HostResponse): Promise<JsonResponse> {
  if (response.status >= 400) throw await HostError.of(response);
  const { host, model, attempts } = response;
  return { data: await jsonIn(response), host, model, attempts };
}

async function jsonIn(response: HostResponse): Promise<unknown> {
  const bytes = response.whole ?? (await bytesOf(response.body, MOST_BYTES));
  if (bytes.length > MOST_BYTES)
    throw new AppError('host_error', `The host gave an answer of more than ${MOST_BYTES} bytes.`);
  try {
    return JSON.parse(bytes.toString().trim());
  } catch (cause) {
    throw new AppError('host_error', 'The host gave an answer that is not JSON.', { cause });
  }
}

/**
 * The data of each event, up to the end marker. A host that answered with one JSON is read as the stream that it stands for.
 * @throws HostError where the host refused; AppError `host_error` where it answered with something else than a stream.
 */
export async function* readEvents(
  response: HostResponse,
  path: string,
): AsyncGenerator<unknown, void, undefined> {
  if (response.status >= 400) throw await HostError.of(response);
  if (!isEventStream(response)) return yield* eventsOf(await jsonIn(response), path);
  const reader = new SseReader(MOST_EVENT_BYTES);
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    const found: string[] = [];
    reader.push(chunk, ({ data }) => {
      if (data !== undefined && data !== '') found.push(data);
    });
    for (const data of found) {
      if (data.trim() === DONE) return;
      yield JSON.parse(data);
    }
  }
}

function isEventStream({ contentType = '' }: HostResponse): boolean {
  return /^text\/event-stream\b/i.test(contentType);
}

function eventsOf(json: unknown, path: string): readonly JsonObject[] {
  const [place = ''] = path.split('?');
  const events = isObject(json) ? dialectOf(place).eventsOf?.(json) : undefined;
  if (events) return events;
  throw new AppError('host_error', 'The host answered a streamed request with something else than a stream.');
}
