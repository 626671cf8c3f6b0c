import { isObject, type JsonObject } from './json-value.ts';
import { ownWordsIn } from './own-words.ts';
import type { ReportedError } from './reported-error.ts';

/** How hosts refuse a thought that they have not signed or encrypted themselves: Anthropic's API, also of clouds, and OpenAI's. */
const NOT_MINE =
  /\binvalid\W{1,3}(signature|data)\W{1,3}in\W{1,3}(redacted_)?thinking\b|\bthinking\.signature\b|thinking\W{1,4}blocks\b[^]{0,60}\bcannot be modified\b|invalid_encrypted_content|\bencrypted content\b[^]{0,300}\bcould not be (verified|decrypted)/i;
/** How Anthropic's API misses one, where a model that is to think has called tools without it. */
const MISSED = /\bexpected\W{1,3}thinking\W{1,3}or\W{1,3}redacted_thinking\W{1,3}but found\b/i;

const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);
/** Edits of a context that are refused where a model is not to think. */
const EDITS_THOUGHTS = 'clear_thinking';
/** Items that were made right behind a thought, and are known to the host by their id as parts of it. */
const BEHIND_THOUGHT: ReadonlySet<unknown> = new Set(['message', 'function_call', 'custom_tool_call']);

/** Whether a host has refused a conversation because of what was thought, or not, at another host. */
export function refusesThoughts(error: ReportedError): boolean {
  const said = wordsOf(error);
  return NOT_MINE.test(said) || MISSED.test(said);
}

/**
 * A message or a response as it can be asked of a host that has refused it so: without what was thought before; and without the wish
 * to think, where the host misses a thought. A conversation could never go on at that host otherwise: clients send everything back.
 * @returns undefined where there is nothing to take out; fields of undefined are not to be written.
 */
export function withoutThoughts(request: JsonObject, error: ReportedError): JsonObject | undefined {
  const { messages, input } = request;
  if (Array.isArray(input)) return responseWithout(request, input);
  if (!Array.isArray(messages)) return undefined;
  const isThinkingOver = MISSED.test(wordsOf(error)) && request['thinking'] !== undefined;
  const bare = messages.map(withoutBlocks).filter((message) => !isEmpty(message));
  if (!isThinkingOver && bare.every((message, at) => message === messages[at])) return undefined;
  if (!isThinkingOver) return { ...request, messages: bare };
  const context = withoutEdits(request['context_management']);
  return { ...request, thinking: undefined, context_management: context, messages: bare };
}

function wordsOf({ code, message }: ReportedError): string {
  return `${code} ${ownWordsIn(message)}`;
}

/** The message itself where there is nothing to take out. */
function withoutBlocks(message: unknown): unknown {
  const content: unknown = isObject(message) ? message['content'] : undefined;
  if (!isObject(message) || !Array.isArray(content)) return message;
  const kept: unknown[] = content.filter((block) => !isObject(block) || !THOUGHTS.has(block['type']));
  return kept.length === content.length ? message : { ...message, content: kept };
}

/** One that was nothing but thoughts. */
function isEmpty(message: unknown): boolean {
  return isObject(message) && Array.isArray(message['content']) && message['content'].length === 0;
}

function withoutEdits(management: unknown): unknown {
  const edits: unknown = isObject(management) ? management['edits'] : undefined;
  if (!isObject(management) || !Array.isArray(edits)) return management;
  const kept: unknown[] = edits.filter(
    (edit) => !isObject(edit) || !String(edit['type']).startsWith(EDITS_THOUGHTS),
  );
  return kept.length === 0 ? undefined : { ...management, edits: kept };
}

function responseWithout(request: JsonObject, input: readonly unknown[]): JsonObject | undefined {
  const kept = input.filter((item) => !isObject(item) || item['type'] !== 'reasoning');
  if (kept.length === input.length) return undefined;
  return { ...request, input: kept.map(withoutId) };
}

function withoutId(item: unknown): unknown {
  return isObject(item) && BEHIND_THOUGHT.has(item['type']) ? { ...item, id: undefined } : item;
}
