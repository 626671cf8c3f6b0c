import { isObject, type JsonObject } from '@morgan/foundation';
import { ownWordsIn, type ReportedError, THOUGHT_MISSED } from '@morgan/host-errors';
import { withThought } from './missing-thoughts.ts';
import { SIGNATURE_MISSED, withSignedCall } from './unsigned-calls.ts';

/**
 * How hosts refuse a thought that they have not signed, encrypted or kept themselves, or that says nothing: Anthropic's API, also of
 * clouds, and OpenAI's.
 */
const NOT_MINE =
  /\binvalid\W{1,3}(signature|data)\W{1,3}in\W{1,3}(redacted_)?thinking\b|\bthinking\.signature\b|thinking\W{1,4}blocks\b[^]{0,60}\bcannot be modified\b|\bcontains any thinking blocks\b|\bthinking block must contain\b|\bfinal block in an assistant message cannot be\W{1,3}thinking\b|\b(item with id\b[^]{0,300}\bnot found\b|referenced \w+ item\b[^]{0,300}\b(not found|expired)\b)|invalid_encrypted_content|\bencrypted content\b[^]{0,300}\bcould not be (verified|decrypted)/i;
/** How Anthropic's API misses one, where a model that is to think has called tools without it. */
const MISSED = /\bexpected\W{1,3}thinking\W{1,3}or\W{1,3}redacted_thinking\W{1,3}but found\b/i;

/** How it refuses texts and answers that say nothing: other hosts leave them beside the calls of a tool. */
const BLANK =
  /\btext content blocks must (be non-empty|contain non-whitespace)\b|\bmessages must have non-empty content\b|\bmessage\b[^]{0,30}\bwith role\b[^]{0,20}\bmust not be empty\b/i;

/** How Anthropic's API refuses the id of a call that another host has made: Moonshot's have a point and a colon. */
const BAD_ID = /\btool_use(_id|\.id)\b[^]{0,80}\bmatch pattern\b/i;
const NOT_OF_IDS = /[^a-zA-Z0-9_-]/g;
/** Where a block has the id of a call. */
const ID_FIELDS: ReadonlyMap<unknown, string> = new Map([
  ['tool_use', 'id'],
  ['tool_result', 'tool_use_id'],
]);

const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);
/** Edits of a context that are refused where a model is not to think. */
const EDITS_THOUGHTS = 'clear_thinking';
/** Items that were made right behind a thought, and are known to the host by their id as parts of it. */
const BEHIND_THOUGHT: ReadonlySet<unknown> = new Set(['message', 'function_call', 'custom_tool_call']);

/** Whether a host has refused a conversation because of what was thought, or not, or how a call was named, at another host. */
export function refusesForeignParts(error: ReportedError): boolean {
  const said = wordsOf(error);
  return [NOT_MINE, MISSED, BLANK, BAD_ID, SIGNATURE_MISSED, THOUGHT_MISSED].some((words) =>
    words.test(said),
  );
}

/**
 * A conversation as it can be asked of a host that has refused it so: without what was thought before, or what says nothing; and without the wish to think,
 * where the host misses a thought; or with other ids; or with what stands for a signature or for a thought. It could never go on at
 * that host otherwise: clients send everything back.
 * @returns undefined where there is nothing to take out; fields of undefined are not to be written.
 */
export function withoutForeignParts(request: JsonObject, error: ReportedError): JsonObject | undefined {
  const { messages, input, thinking } = request;
  if (Array.isArray(input)) return responseWithout(request, input);
  if (!Array.isArray(messages)) return undefined;
  const said = wordsOf(error);
  const isThinkingOver = MISSED.test(said) && thinking !== undefined;
  const changed = messages.map(changeFor(said));
  if (!isThinkingOver && changed.every((message, at) => message === messages[at])) return undefined;
  const bare = { ...request, messages: changed.filter((message) => !isEmpty(message)) };
  if (!isThinkingOver) return bare;
  return { ...bare, thinking: undefined, context_management: withoutEdits(request['context_management']) };
}

function changeFor(said: string): (message: unknown) => unknown {
  if (SIGNATURE_MISSED.test(said)) return withSignedCall;
  if (THOUGHT_MISSED.test(said)) return (message) => (isObject(message) ? withThought(message) : message);
  if (BLANK.test(said)) return withoutBlanks;
  const change = BAD_ID.test(said) ? withOwnIds : withoutThoughts;
  return (message) => withBlocks(message, change);
}

function wordsOf({ code, message }: ReportedError): string {
  return `${code} ${ownWordsIn(message)}`;
}

/** @returns the message itself where nothing changes. */
function withBlocks(message: unknown, change: (blocks: readonly unknown[]) => readonly unknown[]): unknown {
  const content: unknown = isObject(message) ? message['content'] : undefined;
  if (!isObject(message) || !Array.isArray(content)) return message;
  const blocks = change(content);
  const isSame = blocks.length === content.length && blocks.every((block, at) => block === content[at]);
  return isSame ? message : { ...message, content: blocks };
}

function withoutThoughts(blocks: readonly unknown[]): readonly unknown[] {
  return blocks.filter((block) => !isObject(block) || !THOUGHTS.has(block['type']));
}

function withoutBlanks(message: unknown): unknown {
  if (!isObject(message) || isList(message['tool_calls']) || message['role'] === 'tool') return message;
  if (isBlank(message['content'])) return { ...message, content: [] };
  return withBlocks(message, (blocks) =>
    blocks.filter((block) => !isObject(block) || block['type'] !== 'text' || !isBlank(block['text'])),
  );
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isBlank(text: unknown): boolean {
  return typeof text === 'string' && text.trim() === '';
}

function withOwnIds(blocks: readonly unknown[]): readonly unknown[] {
  return blocks.map((block) => {
    const field = isObject(block) ? ID_FIELDS.get(block['type']) : undefined;
    const id = isObject(block) && field !== undefined ? block[field] : undefined;
    const own = typeof id === 'string' ? id.replace(NOT_OF_IDS, '_') : id;
    return isObject(block) && field !== undefined && own !== id ? { ...block, [field]: own } : block;
  });
}

/** One of which nothing is left. */
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
  const kept = input.filter((item) => !isObject(item) || item['type'] !== 'reasoning').map(withoutId);
  const isSame = kept.length === input.length && kept.every((item, at) => item === input[at]);
  return isSame ? undefined : { ...request, input: kept };
}

function withoutId(item: unknown): unknown {
  const isKnown = isObject(item) && item['id'] !== undefined && BEHIND_THOUGHT.has(item['type']);
  return isKnown ? { ...item, id: undefined } : item;
}
