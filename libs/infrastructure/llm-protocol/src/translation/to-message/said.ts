import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { callsOf, OF_THOUGHT } from '../../dialects/openai-shapes.ts';

/** What a message or a part of one says, whichever of their names hosts have for it. */
interface Said {
  readonly thinking: string | undefined;
  readonly text: string | undefined;
}

/** Fields with what was thought, as a text or a list of parts. Some hosts say it twice: the first of these that says something counts. */
const THOUGHTS = [
  'reasoning_content',
  'reasoning',
  'reasoning_text',
  'thinking',
  'thought',
  'reasoning_details',
  'thinking_blocks',
];
const LONGEST_KIND = 32;

/** A content may be a list of parts, some of which are thoughts. */
export function saidIn(message: JsonObject): Said {
  const { content, refusal } = message;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  const thoughts = parts.filter(isThought);
  const texts = parts.filter((part) => !isThought(part));
  const named = THOUGHTS.map((name) => textIn(message[name])).find((text) => text !== '');
  return {
    thinking: named ?? textOrNone(textIn(thoughts)),
    text: textOrNone(content) ?? textOrNone(textIn(texts)) ?? textOrNone(refusal) ?? transcriptIn(message),
  };
}

/** What is said aloud, in words. */
function transcriptIn({ audio }: JsonObject): string | undefined {
  return isObject(audio) ? textOrNone(audio['transcript']) : undefined;
}

/** Kinds of parts that are neither texts nor thoughts. */
const MEDIA = /image|video|file|audio/i;
/** Lists of them that hosts have beside the content. */
const MEDIA_LISTS = ['images', 'videos', 'files'];

/** What is shown in a message or a part of one, which one of Anthropic's has no room for: the name that the host has for it. */
export function shownIn(message: JsonObject): string | undefined {
  const { content } = message;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  const part = parts.find((each) => isObject(each) && MEDIA.test(String(each['type'])));
  if (isObject(part)) return String(part['type']).slice(0, LONGEST_KIND);
  return MEDIA_LISTS.find((name) => Array.isArray(message[name]) && (message[name] as unknown[]).length > 0);
}

/** The calls of tools in a message or a part of one; hosts of the first days of tools have one under a name of its own. */
export function callsIn(message: JsonObject): JsonObject[] {
  const calls = callsOf(message);
  const { function_call: only } = message;
  return calls.length === 0 && isObject(only) ? [{ function: only }] : calls;
}

function isThought(part: unknown): boolean {
  return isObject(part) && OF_THOUGHT.test(String(part['type']));
}

/** A text, that of a part, or those of a list of parts: thoughts are lists within a part at some hosts. Parts that are encrypted have none. */
function textIn(said: unknown): string {
  if (typeof said === 'string') return said;
  if (Array.isArray(said)) return said.map(textIn).join('');
  return isObject(said) ? textIn(said['thinking'] ?? said['text'] ?? said['summary'] ?? said['content']) : '';
}
