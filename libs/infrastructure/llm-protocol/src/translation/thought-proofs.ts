import { isObject, type JsonObject, jsonOrNone, textOrNone, written } from '@morgan/foundation';
import { invalidField } from './translation-refused.ts';

/**
 * Lists of thoughts in which some hosts want back what they have thought, as they said it, or refuse the results of tools:
 * OpenRouter of nearly all models, LiteLLM of Claude. Clients send back the signature of a thought as it came, so the lists
 * travel in it.
 */
const LISTS = ['reasoning_details', 'thinking_blocks'] as const;
/** No signature of Anthropic's begins so, which is base64. */
const MARK = 'thoughts.';
/** Where thoughts have their text. */
const TEXTS = ['text', 'thinking', 'summary'] as const;
/** Characters that are kept: of longer thoughts nothing is sent back, which no model has. */
const LONGEST = 8 * 1024 * 1024;
/** What each entry, and each piece of one, costs besides, in characters. */
const OWN_COST = 32;

type Lists = Partial<Record<(typeof LISTS)[number], JsonObject[]>>;

/** The thoughts of an answer that its host may want back. */
export class ThoughtProofs {
  #lists: Lists = {};
  #length = 0;
  #isProven = false;

  /**
   * @param message one, or a piece of one.
   * @returns whether the thought in it is what came in pieces before, as LiteLLM says it once more with its signature.
   */
  note(message: JsonObject): boolean {
    let isRepeated = false;
    if (this.#length > LONGEST) return false;
    for (const name of LISTS) {
      const said = message[name];
      if (!Array.isArray(said)) continue;
      const list = (this.#lists[name] ??= []);
      for (const thought of said.filter(isObject)) isRepeated = this.#add(thought, list) || isRepeated;
    }
    if (this.#length > LONGEST) this.#lists = {};
    return isRepeated;
  }

  /**
   * Those since the last time, as a signature; undefined where their host can do without them.
   * @param model that was asked: to another one they prove nothing.
   */
  take(model: string): string | undefined {
    if (!this.#isProven || this.#length > LONGEST) return undefined;
    const proof = Buffer.from(written({ model, ...this.#lists })).toString('base64url');
    this.#lists = {};
    this.#length = 0;
    this.#isProven = false;
    return MARK + proof;
  }

  #add(thought: JsonObject, list: JsonObject[]): boolean {
    this.#isProven ||= isProof(thought);
    const last = list.at(-1) ?? {};
    const isMore = ['type', 'index'].every((name) => last[name] === thought[name]) && !isProof(last);
    if (list.length === 0 || !isMore) {
      list.push(thought);
      this.#length += OWN_COST + written(thought).length;
      return false;
    }
    const isRepeated = isProof(thought) && TEXTS.some((name) => isSame(thought[name], last[name]));
    this.#length += OWN_COST + lengthOf(thought);
    list[list.length - 1] = { ...last, ...thought, ...textsOf(last, isRepeated ? {} : thought) };
    return isRepeated;
  }
}

/**
 * The lists that a signature holds, for the model that they are of; none in one of Anthropic's.
 * @throws AppError `invalid_type` with its path where it only looks like one.
 */
export function provenThoughts(signature: unknown, model: unknown, path: string): Lists {
  if (typeof signature !== 'string' || !signature.startsWith(MARK)) return {};
  const held = jsonOrNone(Buffer.from(signature.slice(MARK.length), 'base64url').toString());
  if (!isObject(held)) throw invalidField(path, 'a signature as it came with its thought');
  if (held['model'] !== model) return {};
  const lists: Lists = {};
  for (const name of LISTS) {
    const list = held[name];
    if (Array.isArray(list)) lists[name] = list.filter(isObject);
  }
  return lists;
}

/** The lists of several thoughts of one message as one. */
export function joinedProofs(all: readonly Lists[]): Lists {
  const named = LISTS.map((name) => [name, all.flatMap((lists) => lists[name] ?? [])] as const);
  return Object.fromEntries(named.filter(([, list]) => list.length > 0));
}

function isProof({ signature, data }: JsonObject): boolean {
  return textOrNone(signature) !== undefined || textOrNone(data) !== undefined;
}

/** What is said in two pieces of a thought together. */
function textsOf(before: JsonObject, more: JsonObject): JsonObject {
  const textOf = (name: string) => (textOrNone(before[name]) ?? '') + (textOrNone(more[name]) ?? '');
  const texts = TEXTS.map((name): [string, string] => [name, textOf(name)]);
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

function isSame(said: unknown, before: unknown): boolean {
  return textOrNone(said) !== undefined && said === before;
}

/** Of what a piece adds: all but what each repeats. */
function lengthOf(thought: JsonObject): number {
  return [...TEXTS, 'signature', 'data'].reduce(
    (sum, name) => sum + (textOrNone(thought[name])?.length ?? 0),
    0,
  );
}
