import { parentPort } from 'node:worker_threads';
import { AppError, collectGarbage } from '@morgan/foundation';
import { messageResponse } from './message-response.ts';
import { bodyWithoutForeignParts, chatBody, tokensOfMessage } from './message-body.ts';
import type { MessageResult, MessageTask } from './message-reader.ts';
import { jsonAsStream } from './json-as-stream.ts';

// The entry of the thread that reads large messages.
parentPort?.on('message', (task: MessageTask) => {
  const result = resultOf(task);
  parentPort?.postMessage(result, buffersIn(result));
  // Of a message they are gone already.
  if (task.kind !== 'chat' && task.kind !== 'tokens') free(task);
});

/** What is handed over, and not copied. */
function buffersIn(result: MessageResult): ArrayBuffer[] {
  if ('chat' in result) return [result.chat.bytes.buffer];
  if ('withoutForeignParts' in result)
    return result.withoutForeignParts ? [result.withoutForeignParts.bytes.buffer] : [];
  if ('events' in result) return result.events ? [result.events.bytes.buffer] : [];
  return 'response' in result ? [result.response.buffer] : [];
}

/** Texts of megabytes would pile up otherwise. Nobody waits for this thread but the callers of such. */
function free({ bytes: { buffer } }: MessageTask): undefined {
  if (!buffer.detached) buffer.transfer(0);
  collectGarbage();
}

/** @throws what is a fault of ours: it ends the thread, and its call with it. */
function resultOf(task: MessageTask): MessageResult {
  try {
    if (task.kind === 'chat') return { chat: chatBody(task.bytes, task.asked, () => free(task)) };
    if (task.kind === 'withoutForeignParts')
      return { withoutForeignParts: bodyWithoutForeignParts(task.bytes, task.error) };
    if (task.kind === 'response') return { response: messageResponse(task.bytes, task.message) };
    if (task.kind === 'events') return { events: jsonAsStream(task.bytes, task.asked) };
    return { tokens: tokensOfMessage(task.bytes) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, param } = error;
    return { refusal: { code, message: error.message, param } };
  }
}
