import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { cannotTranslate, invalidField, refuseOthers, textAt } from '../translation-refused.ts';

/** Fields of blocks that change no response: cache hints. */
export const HINT = 'cache_control';

/** One block of a content, and where it stands. */
export interface Block {
  readonly path: string;
  readonly fields: JsonObject;
}

/** @throws AppError `invalid_type` where it is no list of blocks. */
export function blocksOf(content: unknown, path: string): Block[] {
  if (!Array.isArray(content)) throw invalidField(path, 'a text or a list of blocks');
  return content.map((fields: unknown, index) => {
    if (!isObject(fields)) throw invalidField(`${path}[${index}]`, 'an object');
    return { path: `${path}[${index}]`, fields };
  });
}

/** Many hosts take nothing but a text where there are only texts. */
export function contentOf(parts: readonly JsonObject[]): unknown {
  return parts.every(({ type }) => type === 'text') ? parts.map(textOf).join('\n') : parts;
}

/** The text of a part; empty where it has none. */
export function textOf({ text }: JsonObject): string {
  return typeof text === 'string' ? text : '';
}

/** What a user says or shows. @throws AppError about a block that chat completions have nothing for. */
export function userPart(block: Block): JsonObject {
  const { type } = block.fields;
  if (type === 'text') return textPart(block);
  if (type === 'image') return imagePart(block);
  if (type === 'document') return documentPart(block);
  if (type === 'search_result') return searchPart(block);
  throw unknownBlock(block);
}

/** @param more fields that say nothing to a model: where the text of an earlier answer is from. */
export function textPart({ path, fields }: Block, more: readonly string[] = []): JsonObject {
  if (fields['type'] !== 'text') throw unknownBlock({ path, fields });
  refuseOthers(fields, new Set(['type', 'text', HINT, ...more]), `${path}.`);
  return { type: 'text', text: textAt(fields['text'], `${path}.text`) };
}

export function unknownBlock({ path, fields }: Block) {
  return cannotTranslate(path, `A block of type '${String(fields['type'])}'`);
}

function imagePart({ path, fields }: Block): JsonObject {
  refuseOthers(fields, new Set(['type', 'source', HINT]), `${path}.`);
  const source = sourceOf(fields);
  const { type, url } = source;
  if (type === 'url') return { type: 'image_url', image_url: { url: textAt(url, `${path}.source.url`) } };
  return { type: 'image_url', image_url: { url: dataUrl(source, `${path}.source`) } };
}

/** A file as OpenAI takes it; a text as one, below its title and what is said of it. */
function documentPart({ path, fields }: Block): JsonObject {
  refuseOthers(fields, new Set(['type', 'source', 'title', 'context', 'citations', HINT]), `${path}.`);
  const { title, context } = fields;
  refuseCitations({ path, fields });
  const source = sourceOf(fields);
  const { type, data, content } = source;
  if (type === 'text') return textBelow([title, context], textAt(data, `${path}.source.data`));
  if (type === 'content') return textBelow([title, context], textsAt(content, `${path}.source.content`));
  const url = dataUrl(source, `${path}.source`);
  if (type === 'base64' && OF_TEXT.test(String(source['media_type'])))
    return textBelow([title, context], Buffer.from(String(data), 'base64').toString());
  // A file has a name, and no room for words about it.
  if (textOrNone(context) !== undefined) throw cannotTranslate(`${path}.context`);
  const filename = fileName(textOrNone(title), source['media_type']);
  return { type: 'file', file: { filename, file_data: url } };
}

/** What a search has found, below its title and where it is from. */
function searchPart({ path, fields }: Block): JsonObject {
  refuseOthers(fields, new Set(['type', 'source', 'title', 'content', 'citations', HINT]), `${path}.`);
  refuseCitations({ path, fields });
  const { title, source, content } = fields;
  return textBelow([title, source], textsAt(content, `${path}.content`));
}

/** The answer would have to quote it. */
function refuseCitations({ path, fields: { citations } }: Block): void {
  if (isObject(citations) && citations['enabled'] === true) throw cannotTranslate(`${path}.citations`);
}

function textBelow(heads: readonly unknown[], text: string): JsonObject {
  const texts = [...heads, text].map(textOrNone);
  return { type: 'text', text: texts.filter((each) => each !== undefined).join('\n') };
}

/** A text, or one of blocks that are texts. */
export function textsAt(content: unknown, path: string): string {
  return typeof content === 'string'
    ? content
    : blocksOf(content, path)
        .map((block) => textOf(textPart(block)))
        .join('\n');
}

/** Hosts take hardly any files but PDFs, and no text as one. */
const OF_TEXT = /^text\/|^application\/(.*\+)?(json|xml|yaml)\b/i;
const OF_PDF = /^application\/pdf\b/i;

/** OpenAI tells files apart by how their names end. */
function fileName(title = 'document', media: unknown): string {
  return !OF_PDF.test(String(media)) || /\.pdf$/i.test(title) ? title : `${title}.pdf`;
}

function sourceOf({ source }: JsonObject): JsonObject {
  return isObject(source) ? source : {};
}

function dataUrl({ type, media_type: media, data }: JsonObject, path: string): string {
  if (type !== 'base64') throw cannotTranslate(path, 'This kind of source');
  return `data:${textAt(media, `${path}.media_type`)};base64,${textAt(data, `${path}.data`)}`;
}
