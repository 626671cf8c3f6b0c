import { type JsonObject, textOrNone } from '@morgan/foundation';

/** Moonshot takes an empty text for none. */
const NO_THOUGHT = ' ';

/** @returns the message itself where it is no answer, or has a thought. */
export function withThought(message: JsonObject): JsonObject {
  if (message['role'] !== 'assistant' || textOrNone(message['reasoning_content'])) return message;
  return { ...message, reasoning_content: NO_THOUGHT };
}
