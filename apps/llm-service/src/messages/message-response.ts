import { isObject, type JsonObject } from '@morgan/foundation';
import { askedMessage, parseExactly, toMessageResponse } from '@morgan/llm-protocol';
import { asBuffer } from './message-body.ts';
import { withinStack } from './within-stack.ts';

/**
 * The response to a chat completion as that to a message.
 * @param message what of the message has to be known to tell its response.
 * @throws AppError `host_error` where it is none.
 */
export function messageResponse(completion: Uint8Array, message: JsonObject): Uint8Array<ArrayBuffer> {
  return withinStack(() => {
    const response = toMessageResponse(objectIn(completion), askedMessage(message));
    return new TextEncoder().encode(JSON.stringify(response));
  });
}

/** An empty one where the host responded in no JSON, which has no choice either. */
function objectIn(bytes: Uint8Array): JsonObject {
  try {
    // A byte order mark counts as white space.
    const json = parseExactly(asBuffer(bytes).toString().trim());
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}
