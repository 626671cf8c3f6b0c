import {
  askedMessage,
  isObject,
  type JsonObject,
  parseExactly,
  toMessageResponse,
} from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import { asBuffer } from './message-body.ts';

/**
 * The answer of a chat completion as that of a message.
 * @param message what of the message has to be known to tell its answer.
 * @throws AppError `host_error` where it is none.
 */
export function messageAnswer(completion: Uint8Array, message: JsonObject): Uint8Array<ArrayBuffer> {
  try {
    const answer = toMessageResponse(objectIn(completion), askedMessage(message));
    return new TextEncoder().encode(JSON.stringify(answer));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    // A host may nest what it says so deep that it can be read, but not be written again.
    throw new AppError('host_error', 'The answer of the host is nested too deep to be translated.', {
      cause,
    });
  }
}

/** An empty one where the host answered in no JSON, which has no choice either. */
function objectIn(bytes: Uint8Array): JsonObject {
  try {
    // A byte order mark counts as white space.
    const json = parseExactly(asBuffer(bytes).toString().trim());
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}
