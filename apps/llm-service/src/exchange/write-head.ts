import type { HostResponse } from '@morgan/distributed-llm';
import type { HttpReply } from '@morgan/http-server';
import { ANTHROPIC_ID_HEADER } from '../endpoints/anthropic-callers.ts';
import { responseHeaders } from './response-headers.ts';

/** Names who answered: the configured name of the host, or {@link GATEWAY_HOST}. */
export const HOST_HEADER = 'x-morgan-host';

/** The value of {@link HOST_HEADER} on answers that the gateway makes itself: errors, lists, health. */
export const GATEWAY_HOST = 'gateway';

/** How many attempts there were, where it was not one. */
const ATTEMPTS_HEADER = 'x-morgan-attempts';
/** The model that answered, as it was asked for there. */
const MODEL_HEADER = 'x-morgan-model';
/** The host's own id of the request: `x-request-id` is the call's. */
const UPSTREAM_ID_HEADER = 'x-morgan-upstream-request-id';
const PLAIN_TEXT = /^[\x21-\x7e]+$/;
const EVENTS = 'text/event-stream; charset=utf-8';

/** Whether a host answers with a stream of events. */
function isEventStream({ contentType }: HostResponse): boolean {
  return contentType?.toLowerCase().startsWith('text/event-stream') ?? false;
}

/** Takes the reply over and writes its head. From then on its bytes are the caller's of this function. */
export function writeHead(reply: HttpReply, response: HostResponse, headers = response.headers): void {
  const { host, status, attempts, model, upstreamRequestId } = response;
  reply.header(HOST_HEADER, host);
  if (model !== undefined) reply.header(MODEL_HEADER, asHeader(model));
  if (upstreamRequestId !== undefined) reply.header(UPSTREAM_ID_HEADER, asHeader(upstreamRequestId));
  if (attempts > 1) reply.header(ATTEMPTS_HEADER, String(attempts));
  if (isEventStream(response)) reply.header('x-accel-buffering', 'no');
  const own = takeOver(reply);
  // The host's own support knows its id, and the log has both.
  if (own.has(ANTHROPIC_ID_HEADER) && has(headers, ANTHROPIC_ID_HEADER)) own.delete(ANTHROPIC_ID_HEADER);
  reply.raw.writeHead(status, responseHeaders({ status, received: headers, own }));
}

/** The head of a stream: its length is not what its host said, its type may not be, and nobody may have answered yet. */
export function writeStreamHead(reply: HttpReply, response: HostResponse | undefined): void {
  reply.header('x-accel-buffering', 'no');
  if (!response || !isEventStream(response)) reply.header('content-type', EVENTS);
  if (response) return writeHead(reply, response, without(response.headers, 'content-length'));
  reply.raw.writeHead(200, [...takeOver(reply)].flat());
}

/** Callers name models as they like, which headers cannot hold. */
function asHeader(text: string): string {
  return PLAIN_TEXT.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

function takeOver(reply: HttpReply): Map<string, string> {
  reply.hijack();
  const own = new Map<string, string>();
  const headers = reply.getHeaders();
  for (const name of Object.keys(headers)) own.set(name, String(headers[name]));
  return own;
}

function has(headers: readonly string[], name: string): boolean {
  return headers.some((each, at) => at % 2 === 0 && each.toLowerCase() === name);
}

function without(headers: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [own = '', value = ''] = [headers[at], headers[at + 1]];
    if (own.toLowerCase() !== name) kept.push(own, value);
  }
  return kept;
}
