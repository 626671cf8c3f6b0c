import { isObject, type JsonObject } from '@morgan/foundation';
import { cannotTranslate, fieldsAt, invalidField, isGiven, refuseOthers } from '../translation-refused.ts';

const CLEAR_THINKING = 'clear_thinking_20251015';
/** Of turns with thoughts, where an edit does not say how many keep theirs. */
const USUALLY_KEPT = 1;

/**
 * In how many of the last turns that have thoughts these stay: all of them, or fewer where a client asks for that, as Claude
 * Code does of a conversation that has rested for an hour.
 * @throws AppError `invalid_value` about any other edit of a context.
 */
export function turnsWithThoughts(management: unknown): number {
  const fields = fieldsAt(management, 'context_management');
  refuseOthers(fields, new Set(['edits']), 'context_management.');
  const edits: unknown = fields['edits'] ?? [];
  if (!Array.isArray(edits)) throw invalidField('context_management.edits', 'a list of edits');
  return Math.min(
    Infinity,
    ...edits.map((edit: unknown, at) => turnsKept(edit, `context_management.edits[${at}]`)),
  );
}

function turnsKept(edit: unknown, path: string): number {
  if (isObject(edit) && edit['keep'] === 'all') return Infinity;
  if (!isObject(edit) || edit['type'] !== CLEAR_THINKING) throw cannotTranslate(path, 'An edit');
  refuseOthers(edit, new Set(['type', 'keep']), `${path}.`);
  if (!isGiven(edit['keep'])) return USUALLY_KEPT;
  const { type, value } = fieldsAt(edit['keep'], `${path}.keep`);
  if (type === 'all') return Infinity;
  if (type !== 'thinking_turns') throw cannotTranslate(`${path}.keep.type`, 'This value');
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw invalidField(`${path}.keep.value`, 'a whole number above 0');
}

/** The messages without the thoughts of all turns but the last of those that have some. */
export function withThoughtsOf(messages: readonly unknown[], turns: number): readonly unknown[] {
  if (turns === Infinity) return messages;
  let left = turns;
  let hasThought = false;
  let from = messages.length;
  while (from > 0 && left > 0) {
    from -= 1;
    const message = messages[from];
    hasThought ||= partsOf(message).some(isThought);
    if (!hasThought || !beginsTurn(message)) continue;
    left -= 1;
    hasThought = false;
  }
  return messages.map((message, at) => (at < from ? withoutThoughts(message) : message));
}

/** Whether a message begins a turn: results of tools go on with the one that called them. */
export function beginsTurn(message: unknown): boolean {
  if (!isObject(message) || message['role'] !== 'user') return false;
  return !partsOf(message).some(({ type }) => type === 'tool_result');
}

function withoutThoughts(message: unknown): unknown {
  if (!isObject(message) || !Array.isArray(message['content'])) return message;
  const content: readonly unknown[] = message['content'];
  return { ...message, content: content.filter((part) => !isObject(part) || !isThought(part)) };
}

function partsOf(message: unknown): JsonObject[] {
  const content: unknown = isObject(message) ? message['content'] : undefined;
  return Array.isArray(content) ? content.filter(isObject) : [];
}

function isThought({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}
