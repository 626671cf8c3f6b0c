import type { ServerResponse } from 'node:http';
import type { ResponseContent } from './response-content.ts';
import type { Reply } from './error-reply.ts';
import type { StreamFault } from './fault.ts';
import { bodyOf, eventsOf, type Stop } from './faulty-response.ts';

/** How fast answers come. */
export interface Pace {
  /** From the end of the request to the first byte of the response, in milliseconds. */
  readonly timeToFirstTokenMs: number;
  /** Speed of one response; 0 sends it as fast as the connection takes it. */
  readonly tokensPerSecond: number;
}

/** Sends a complete response. */
export function sendReply(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** Sends a body when the last token would be written; a fault may leave it half sent. */
export async function sendBody(
  response: ServerResponse,
  content: ResponseContent,
  pace: Pace,
  fault: StreamFault | undefined,
): Promise<void> {
  const { timeToFirstTokenMs, tokensPerSecond } = pace;
  const writingMs = tokensPerSecond > 0 ? (content.tokenCount * 1000) / tokensPerSecond : 0;
  await pause(response, timeToFirstTokenMs + writingMs);
  if (response.closed) return;
  // Once: the next one has another id, which may be longer.
  const whole = content.body();
  const { pieces, stop } = bodyOf(whole, fault, content.failure);
  const body = pieces.join('');
  if (stop === 'end' && !fault?.closeDelimited) return sendReply(response, { status: 200, body });
  const length = { 'content-length': Buffer.byteLength(whole) };
  writeHead(
    response,
    { 'content-type': 'application/json', ...(fault?.closeDelimited ? {} : length) },
    fault,
  );
  await finish(response, body, stop);
}

/** Sends events at the pace asked for, waits for a slow reader, and stops at once when the client goes away. */
export async function sendEvents(
  response: ServerResponse,
  content: ResponseContent,
  pace: Pace,
  fault: StreamFault | undefined,
): Promise<void> {
  const start = performance.now() + pace.timeToFirstTokenMs;
  const intervalMs = pace.tokensPerSecond > 0 ? 1000 / pace.tokensPerSecond : 0;
  await pause(response, pace.timeToFirstTokenMs);
  if (response.closed) return;
  writeHead(response, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }, fault);
  const { pieces, stop } = eventsOf(content, fault);
  const last = stop === 'end' ? pieces.at(-1) : undefined;
  for (const [index, piece] of (last === undefined ? pieces : pieces.slice(0, -1)).entries()) {
    // Times are counted from the start, so that late timers do not slow the stream down.
    if (intervalMs > 0) await pause(response, start + index * intervalMs - performance.now());
    if (response.closed) return;
    if (!response.write(piece)) await drained(response);
  }
  await finish(response, last ?? '', stop);
}

function writeHead(
  response: ServerResponse,
  headers: Readonly<Record<string, string | number>>,
  fault: StreamFault | undefined,
): void {
  if (fault?.closeDelimited) {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
  }
  response.writeHead(200, headers);
}

/** Sends the last piece and stops, once everything has been handed to the system. */
async function finish(response: ServerResponse, last: string, stop: Stop): Promise<void> {
  if (stop === 'end') return void response.end(last);
  await new Promise((resolve) => response.write(last, resolve));
  if (stop === 'cut') response.destroy();
  if (stop === 'reset') response.socket?.resetAndDestroy();
}

/** Resolves after so many milliseconds, or when the connection is gone. */
export function pause(response: ServerResponse, ms: number): Promise<void> | undefined {
  if (ms <= 0 || response.closed) return undefined;
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      response.off('close', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    response.once('close', finish);
  });
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      response.off('drain', finish).off('close', finish);
      resolve();
    };
    response.once('drain', finish).once('close', finish);
  });
}
