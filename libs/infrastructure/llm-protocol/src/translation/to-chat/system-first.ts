import type { JsonObject } from '@morgan/foundation';

/**
 * For models that take a system prompt as the first message only: one that comes later is told by the user, in words that
 * say whose they are, and in one message with what the user said before and behind it, as some models take no two in a row.
 */
export function systemFirst(messages: readonly JsonObject[]): JsonObject[] {
  const told: JsonObject[] = [];
  const lists = new Set<unknown>();
  for (const message of messages) {
    const last = told.at(-1);
    const { role, content } = message;
    if (role === 'user' && last?.['role'] === 'user') told[told.length - 1] = joined(last, content, lists);
    else if (role !== 'system' || !last) told.push(message);
    else if (last['role'] === 'system') told[told.length - 1] = joined(last, String(content), lists);
    else if (last['role'] === 'user') told[told.length - 1] = joined(last, reminder(content), lists);
    else told.push({ role: 'user', content: reminder(content) });
  }
  return told;
}

/** As Anthropic's own clients mark it. */
function reminder(content: unknown): string {
  return `<system-reminder>\n${String(content)}\n</system-reminder>`;
}

/** @param lists those that were made here, which may grow: a copy for each of thousands would take minutes. */
function joined(message: JsonObject, said: unknown, lists: Set<unknown>): JsonObject {
  const { content } = message;
  if (!Array.isArray(content) && !Array.isArray(said))
    return { ...message, content: `${String(content)}\n${String(said)}` };
  const parts = lists.has(content) ? (content as unknown[]) : [...partsOf(content)];
  lists.add(parts);
  for (const part of partsOf(said)) parts.push(part);
  return { ...message, content: parts };
}

function partsOf(content: unknown): readonly unknown[] {
  return Array.isArray(content) ? content : [{ type: 'text', text: String(content) }];
}
