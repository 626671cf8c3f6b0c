import type { ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';
import type { Reply } from './error-reply.ts';
import type { Interruption } from './fault.ts';

/** How fast answers come. */
export interface Pace {
  /** From the end of the request to the first byte of the answer, in milliseconds. */
  readonly timeToFirstTokenMs: number;
  /** Speed of one answer; 0 sends it as fast as the connection takes it. */
  readonly tokensPerSecond: number;
}

const DONE = 'data: [DONE]\n\n';

/** Sends a complete answer. */
export function sendReply(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** Sends a body when the last token would be written; an interruption leaves it half sent. */
export async function sendBody(
  response: ServerResponse,
  answer: Answer,
  pace: Pace,
  interruption: Interruption | undefined,
): Promise<void> {
  const { timeToFirstTokenMs, tokensPerSecond } = pace;
  const writingMs = tokensPerSecond > 0 ? (answer.tokenCount * 1000) / tokensPerSecond : 0;
  await pause(response, timeToFirstTokenMs + writingMs);
  if (response.closed) return;
  const body = answer.body();
  if (!interruption) return sendReply(response, { status: 200, body });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  const half = body.slice(0, body.length / 2);
  await interrupt(response, interruption.afterChunks > 0 ? half : '', interruption);
}

/** Sends events at the pace asked for, waits for a slow reader, and stops at once when the client goes away. */
export async function sendEvents(
  response: ServerResponse,
  answer: Answer,
  pace: Pace,
  interruption: Interruption | undefined,
): Promise<void> {
  const start = performance.now() + pace.timeToFirstTokenMs;
  const intervalMs = pace.tokensPerSecond > 0 ? 1000 / pace.tokensPerSecond : 0;
  await pause(response, pace.timeToFirstTokenMs);
  if (response.closed) return;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const events = answer.events();
  const planned = interruption ? events.slice(0, interruption.afterChunks) : events;
  for (const [index, event] of planned.entries()) {
    // Times are counted from the start, so that late timers do not slow the stream down.
    if (intervalMs > 0) await pause(response, start + index * intervalMs - performance.now());
    if (response.closed) return;
    if (!response.write(event)) await drained(response);
  }
  if (interruption) await interrupt(response, '', interruption);
  else response.end(DONE);
}

/** Does what the interruption says once everything before it has been handed to the system. */
async function interrupt(response: ServerResponse, text: string, { kind }: Interruption): Promise<void> {
  await new Promise((resolve) => response.write(text, resolve));
  if (kind === 'cut-in-stream') response.destroy();
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
