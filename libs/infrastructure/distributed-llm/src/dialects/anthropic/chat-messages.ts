import { isObject, type JsonObject, textOrNone } from '../reported-error.ts';
import { cannotTranslate, invalidField, refuseOthers } from './translation-refused.ts';

/** Fields of blocks that change no response: cache hints. */
const HINT = 'cache_control';

/** `system` as the first message; none where there is none. */
export function systemMessage(system: unknown): JsonObject[] {
  if (system === undefined || system === null || system === '') return [];
  const content = typeof system === 'string' ? system : blocksOf(system, 'system').map(textPart);
  return [{ role: 'system', content }];
}

/** Anthropic's messages as those of chat completions; one with results of tools becomes several. */
export function chatMessages(messages: readonly unknown[]): JsonObject[] {
  return messages.flatMap((message, index) => {
    const path = `messages[${index}]`;
    if (!isObject(message)) throw invalidField(path, 'an object');
    refuseOthers(message, new Set(['role', 'content']), `${path}.`);
    const { role, content } = message;
    if (role !== 'user' && role !== 'assistant') throw cannotTranslate(`${path}.role`, 'This role');
    if (typeof content === 'string') return [{ role, content }];
    const blocks = blocksOf(content, `${path}.content`);
    return role === 'user' ? userMessages(blocks) : [assistantMessage(blocks)];
  });
}

interface Block {
  readonly path: string;
  readonly fields: JsonObject;
}

function blocksOf(content: unknown, path: string): Block[] {
  if (!Array.isArray(content)) throw invalidField(path, 'a text or a list of blocks');
  return content.map((fields: unknown, index) => {
    if (!isObject(fields)) throw invalidField(`${path}[${index}]`, 'an object');
    return { path: `${path}[${index}]`, fields };
  });
}

/** Results of tools stand right behind the calls, in front of what the user says besides. */
function userMessages(blocks: readonly Block[]): JsonObject[] {
  const results = blocks.filter(({ fields }) => fields['type'] === 'tool_result').map(toolMessage);
  const parts = blocks.filter(({ fields }) => fields['type'] !== 'tool_result').map(userPart);
  return [...results, ...(parts.length > 0 ? [{ role: 'user', content: parts }] : [])];
}

function userPart(block: Block): JsonObject {
  if (block.fields['type'] === 'text') return textPart(block);
  if (block.fields['type'] === 'image') return imagePart(block);
  throw unknownBlock(block);
}

function textPart({ path, fields }: Block): JsonObject {
  if (fields['type'] !== 'text') throw unknownBlock({ path, fields });
  refuseOthers(fields, new Set(['type', 'text', HINT]), `${path}.`);
  return { type: 'text', text: fields['text'] };
}

function imagePart({ path, fields }: Block): JsonObject {
  refuseOthers(fields, new Set(['type', 'source', HINT]), `${path}.`);
  const source = isObject(fields['source']) ? fields['source'] : {};
  const { type, media_type: media, data, url } = source;
  if (type === 'url') return { type: 'image_url', image_url: { url } };
  if (type !== 'base64') throw cannotTranslate(`${path}.source`, 'This kind of source');
  return { type: 'image_url', image_url: { url: `data:${String(media)};base64,${String(data)}` } };
}

/** That a tool failed can only be said in words. */
function toolMessage({ path, fields }: Block): JsonObject {
  refuseOthers(fields, new Set(['type', 'tool_use_id', 'content', 'is_error', HINT]), `${path}.`);
  const { tool_use_id: id, content = '', is_error: isError } = fields;
  const texts =
    typeof content === 'string' ? [content] : blocksOf(content, `${path}.content`).map(textPart).map(textOf);
  return { role: 'tool', tool_call_id: id, content: (isError === true ? 'Error: ' : '') + texts.join('\n') };
}

function textOf({ text }: JsonObject): string {
  return typeof text === 'string' ? text : '';
}

/** Thinking goes along as the open engines take it; what is encrypted only Anthropic can read. */
function assistantMessage(blocks: readonly Block[]): JsonObject {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: JsonObject[] = [];
  for (const { path, fields } of blocks) {
    const { type } = fields;
    if (type === 'text') texts.push(textOf(textPart({ path, fields })));
    else if (type === 'thinking') thoughts.push(thoughtOf({ path, fields }));
    else if (type === 'tool_use') calls.push(toolCall({ path, fields }));
    else throw unknownBlock({ path, fields });
  }
  return {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join('') }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** The signature proves the thought to Anthropic; nobody else asks for it. */
function thoughtOf({ path, fields }: Block): string {
  refuseOthers(fields, new Set(['type', 'thinking', 'signature']), `${path}.`);
  return textOrNone(fields['thinking']) ?? '';
}

function toolCall({ path, fields }: Block): JsonObject {
  refuseOthers(fields, new Set(['type', 'id', 'name', 'input', HINT]), `${path}.`);
  const { id, name, input = {} } = fields;
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function unknownBlock({ path, fields }: Block) {
  return cannotTranslate(path, `A block of type '${String(fields['type'])}'`);
}
