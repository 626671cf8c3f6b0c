import { parentPort } from 'node:worker_threads';
import { AppError, collectGarbage } from '@morgan/foundation';
import { chatBody, tokensOfMessage } from './message-body.ts';
import type { MessageResult, MessageTask } from './message-reader.ts';

// The entry of the thread that reads large messages.
parentPort?.on('message', (task: MessageTask) => {
  const result = resultOf(task);
  parentPort?.postMessage(result, 'chat' in result ? [result.chat.bytes.buffer] : []);
});

/** Texts of megabytes would pile up otherwise. Nobody waits for this thread but the callers of such. */
function free({ buffer }: MessageTask['message']): undefined {
  if (!buffer.detached) buffer.transfer(0);
  collectGarbage();
}

/** @throws what is a fault of ours: it ends the thread, and its call with it. */
function resultOf({ message, asked }: MessageTask): MessageResult {
  try {
    return asked
      ? { chat: chatBody(message, asked, () => free(message)) }
      : { tokens: tokensOfMessage(message) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, param } = error;
    return { refusal: { code, message: error.message, param } };
  }
}
