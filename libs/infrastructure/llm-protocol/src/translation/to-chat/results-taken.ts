import type { JsonObject } from '@morgan/foundation';

/** True of every conversation that goes on behind the results of tools, and asks for nothing. */
const TAKEN = { role: 'assistant', content: 'I have the results.' };

/**
 * For models that take no word of the user right behind the results of tools, as clients put their reminders there: an
 * assistant stands between them.
 */
export function resultsTaken(messages: readonly JsonObject[]): JsonObject[] {
  return messages.flatMap((message, at) =>
    message['role'] === 'user' && messages[at - 1]?.['role'] === 'tool' ? [TAKEN, message] : [message],
  );
}
