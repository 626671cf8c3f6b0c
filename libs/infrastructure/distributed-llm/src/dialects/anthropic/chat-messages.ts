import { isObject, type JsonObject, textOrNone } from '../reported-error.ts';
import { chatToolName } from './tool-names.ts';
import { cannotTranslate, invalidField, refuseOthers } from './translation-refused.ts';

/** Fields of blocks that change no response: cache hints. */
const HINT = 'cache_control';

/** `system` as the first message; none where there is none. */
export function systemMessage(system: unknown): JsonObject[] {
  if (system === undefined || system === null) return [];
  const content = typeof system === 'string' ? system : contentOf(blocksOf(system, 'system').map(textPart));
  return content === '' ? [] : [{ role: 'system', content }];
}

/** Many hosts take nothing but a text where there are only texts. */
function contentOf(parts: readonly JsonObject[]): unknown {
  return parts.every(({ type }) => type === 'text') ? parts.map(textOf).join('\n') : parts;
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

/** Results of tools stand right behind the calls, in front of their images and of what the user says besides. */
function userMessages(blocks: readonly Block[]): JsonObject[] {
  const results = blocks.filter(({ fields }) => fields['type'] === 'tool_result').map(toolResult);
  const said = blocks.filter(({ fields }) => fields['type'] !== 'tool_result').map(userPart);
  const parts = [...results.flatMap(({ images }) => images), ...said];
  return [
    ...results.map(({ message }) => message),
    ...(parts.length > 0 ? [{ role: 'user', content: contentOf(parts) }] : []),
  ];
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
  if (type === 'url') return { type: 'image_url', image_url: { url: textAt(url, `${path}.source.url`) } };
  if (type !== 'base64') throw cannotTranslate(`${path}.source`, 'This kind of source');
  const [kind, bytes] = [textAt(media, `${path}.source.media_type`), textAt(data, `${path}.source.data`)];
  return { type: 'image_url', image_url: { url: `data:${kind};base64,${bytes}` } };
}

function textAt(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw invalidField(path, 'a text');
}

interface ToolResult {
  readonly message: JsonObject;
  /** With a sentence in front that says whose they are. */
  readonly images: readonly JsonObject[];
}

/** That a tool failed can only be said in words, and images only by the user. */
function toolResult({ path, fields }: Block): ToolResult {
  refuseOthers(fields, new Set(['type', 'tool_use_id', 'content', 'is_error', HINT]), `${path}.`);
  const { tool_use_id: id, content = '', is_error: isError } = fields;
  const parts =
    typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : blocksOf(content, `${path}.content`).map(userPart);
  const images = parts.filter(({ type }) => type !== 'text');
  const texts = parts.filter(({ type }) => type === 'text').map(textOf);
  if (images.length > 0) texts.push('(The images of this result follow.)');
  const text = (isError === true ? 'Error: ' : '') + texts.join('\n');
  const sentence = { type: 'text', text: `Images of the result of ${String(id)}:` };
  return {
    message: { role: 'tool', tool_call_id: id, content: text },
    images: images.length > 0 ? [sentence, ...images] : [],
  };
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
    // Without calls there has to be a text.
    content: texts.length > 0 || calls.length === 0 ? texts.join('') : null,
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
  const { id, name, input = {}, caller } = fields;
  // As Anthropic says it of every call that its model makes by itself.
  const known = isObject(caller) && caller['type'] === 'direct' ? ['caller'] : [];
  refuseOthers(fields, new Set(['type', 'id', 'name', 'input', HINT, ...known]), `${path}.`);
  return { id, type: 'function', function: { name: chatToolName(name), arguments: JSON.stringify(input) } };
}

function unknownBlock({ path, fields }: Block) {
  return cannotTranslate(path, `A block of type '${String(fields['type'])}'`);
}
