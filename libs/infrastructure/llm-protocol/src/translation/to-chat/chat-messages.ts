import { isObject, type JsonObject } from '@morgan/foundation';
import {
  type Block,
  blocksOf,
  contentOf,
  HINT,
  textOf,
  textPart,
  textsAt,
  unknownBlock,
  userPart,
} from './chat-parts.ts';
import { joinedProofs, provenThoughts } from '../thought-proofs.ts';
import { bareId, signatureOf } from '../thought-signature.ts';
import { chatToolName } from '../tool-names.ts';
import {
  cannotTranslate,
  fieldsAt,
  flagAt,
  invalidField,
  isGiven,
  refuseOthers,
  textAt,
} from '../translation-refused.ts';

/**
 * Claude Code puts a line about itself in front of its system prompt, another one with each request: it is for Anthropic,
 * and a host that keeps the beginnings of prompts would compute each of them anew.
 */
const OF_CLIENT = /^x-anthropic-billing-header:[^\n]*\n?/;

/** `system`, or a message of that role, as one; none where it says nothing. */
export function systemMessage(system: unknown, path = 'system'): JsonObject[] {
  if (system === undefined || system === null) return [];
  const text = textsAt(system, path);
  const content = text.replace(OF_CLIENT, '');
  return content === '' ? [] : [{ role: 'system', content }];
}

/** What one role says: Anthropic takes messages of one role in a row for one, and many hosts take none in a row. */
interface Turn {
  readonly role: 'user' | 'assistant';
  readonly blocks: Block[];
}

/**
 * Anthropic's messages as those of chat completions; one with results of tools becomes several.
 * @param model that is asked.
 */
export function chatMessages(messages: readonly unknown[], model: unknown): JsonObject[] {
  const lastOfUser = messages.findLastIndex((message) => isObject(message) && message['role'] === 'user');
  const told: (Turn | JsonObject[])[] = [];
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    if (!isObject(message)) throw invalidField(path, 'an object');
    if (message['role'] === 'system') {
      const said = instructions(message, path, index < lastOfUser);
      if (said.length > 0) told.push(said);
    } else addTo(told, turnOf(message, path));
  }
  return told.flatMap((each) => {
    if (Array.isArray(each)) return each;
    return each.role === 'user' ? userMessages(each.blocks) : [assistantMessage(each.blocks, model)];
  });
}

function turnOf(message: JsonObject, path: string): Turn {
  refuseOthers(message, new Set(['role', 'content']), `${path}.`);
  const { role, content } = message;
  if (role !== 'user' && role !== 'assistant') throw cannotTranslate(`${path}.role`, 'This role');
  if (typeof content === 'string') return { role, blocks: [textBlock(content, `${path}.content`)] };
  const blocks = blocksOf(content, `${path}.content`);
  if (role === 'user' && blocks.length === 0) throw invalidField(`${path}.content`, 'no empty list');
  return { role, blocks };
}

function addTo(told: (Turn | JsonObject[])[], { role, blocks }: Turn): void {
  const last = told.at(-1);
  if (!last || Array.isArray(last) || last.role !== role) {
    told.push({ role, blocks });
    return;
  }
  const isTextBoth = [last.blocks.at(-1), blocks[0]].every((block) => block?.fields['type'] === 'text');
  // Texts of an answer are told as one, without anything between them.
  if (role === 'assistant' && isTextBoth) last.blocks.push(textBlock('\n'));
  for (const block of blocks) last.blocks.push(block);
}

function textBlock(text: string, path = ''): Block {
  return { path, fields: { type: 'text', text } };
}

/** Those that come in the middle of a conversation. @param isPast whether the user has said something since. */
function instructions(message: JsonObject, path: string, isPast: boolean): JsonObject[] {
  refuseOthers(message, new Set(['role', 'content', 'clear_at', 'output_config']), `${path}.`);
  const { content, clear_at: until } = message;
  const isBrief = until === 'next_user_message';
  if (isGiven(until) && !isBrief && until !== 'never')
    throw cannotTranslate(`${path}.clear_at`, 'This value');
  return isBrief && isPast ? [] : systemMessage(content, `${path}.content`);
}

/** Results of tools stand right behind the calls, in front of what they show and of what the user says besides. */
function userMessages(blocks: readonly Block[]): JsonObject[] {
  const results = blocks.filter(({ fields }) => fields['type'] === 'tool_result').map(toolResult);
  const said = blocks.filter(({ fields }) => fields['type'] !== 'tool_result').map(userPart);
  const parts = [...results.flatMap(({ shown }) => shown), ...said];
  return [
    ...results.map(({ message }) => message),
    ...(parts.length > 0 ? [{ role: 'user', content: contentOf(parts) }] : []),
  ];
}

interface ToolResult {
  readonly message: JsonObject;
  /** Images and files, with a sentence in front that says whose they are. */
  readonly shown: readonly JsonObject[];
}

/** That a tool failed can only be said in words, and images and files only be shown by the user. */
function toolResult({ path, fields }: Block): ToolResult {
  refuseOthers(fields, new Set(['type', 'tool_use_id', 'content', 'is_error', HINT]), `${path}.`);
  const { tool_use_id: given, content } = fields;
  const isError = flagAt(fields['is_error'], `${path}.is_error`);
  const id = bareId(textAt(given, `${path}.tool_use_id`));
  const said = isGiven(content) ? content : '';
  const parts =
    typeof said === 'string'
      ? [{ type: 'text', text: said }]
      : blocksOf(said, `${path}.content`).map(resultPart);
  const shown = parts.filter(({ type }) => type !== 'text');
  const kind = shown.every(({ type }) => type === 'image_url') ? 'images' : 'files';
  const texts = parts.filter(({ type }) => type === 'text').map(textOf);
  if (shown.length > 0) texts.push(`(The ${kind} of this result follow.)`);
  const text = (isError ? 'Error: ' : '') + texts.join('\n');
  const whose = kind === 'images' ? 'Images' : 'Files';
  const sentence = { type: 'text', text: `${whose} of the result of ${String(id)}:` };
  return {
    message: { role: 'tool', tool_call_id: id, content: text },
    shown: shown.length > 0 ? [sentence, ...shown] : [],
  };
}

/** A search for tools finds one: for Anthropic that it is to be known from here on. */
function resultPart(block: Block): JsonObject {
  const { path, fields } = block;
  if (fields['type'] !== 'tool_reference') return userPart(block);
  refuseOthers(fields, new Set(['type', 'tool_name', HINT]), `${path}.`);
  return { type: 'text', text: `The tool ${String(chatToolName(fields['tool_name']))} can be called.` };
}

/** Blocks that say nothing to any other model: where another one of Anthropic's took over, and what is encrypted. */
const UNSAID: ReadonlySet<unknown> = new Set(['redacted_thinking', 'fallback']);

/**
 * Thinking goes along as the open engines take it, and as its host has said it, where that wants it back; what is encrypted by
 * Anthropic nobody else can read.
 */
function assistantMessage(blocks: readonly Block[], model: unknown): JsonObject {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const proofs: ReturnType<typeof provenThoughts>[] = [];
  const calls: JsonObject[] = [];
  for (const { path, fields } of blocks) {
    const { type } = fields;
    if (type === 'text') texts.push(textOf(textPart({ path, fields }, ['citations'])));
    else if (type === 'thinking') {
      thoughts.push(thoughtOf({ path, fields }));
      proofs.push(provenThoughts(fields['signature'], model, `${path}.signature`));
    } else if (type === 'tool_use') calls.push(toolCall({ path, fields }));
    else if (!UNSAID.has(type)) throw unknownBlock({ path, fields });
  }
  return {
    role: 'assistant',
    // Without calls there has to be a text.
    content: texts.length > 0 || calls.length === 0 ? texts.join('') : null,
    ...(thoughts.some((thought) => thought !== '') && { reasoning_content: thoughts.join('') }),
    ...joinedProofs(proofs),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function thoughtOf({ path, fields }: Block): string {
  refuseOthers(fields, new Set(['type', 'thinking', 'signature', HINT]), `${path}.`);
  return textAt(fields['thinking'], `${path}.thinking`);
}

function toolCall({ path, fields }: Block): JsonObject {
  const { caller } = fields;
  // As Anthropic says it of every call that its model makes by itself.
  const known = isObject(caller) && caller['type'] === 'direct' ? ['caller'] : [];
  refuseOthers(fields, new Set(['type', 'id', 'name', 'input', HINT, ...known]), `${path}.`);
  const [id, name] = [textAt(fields['id'], `${path}.id`), textAt(fields['name'], `${path}.name`)];
  const input = fieldsAt(fields['input'], `${path}.input`);
  const called = { name: chatToolName(name), arguments: JSON.stringify(input) };
  return { id: bareId(id), type: 'function', function: called, ...signatureOf(id) };
}
