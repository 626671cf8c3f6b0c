import { isSpace } from '../json/json-bytes.ts';
import { promptTokensOf } from './prompt-tokens.ts';

/** What only some targets can do. */
export interface RequestNeeds {
  readonly tools: boolean;
  readonly vision: boolean;
}

/** Where the value of a field stands in a body, the quotes of a text included. */
export type ValueSpan = readonly [start: number, end: number];

/** What only a scan of the whole body can tell. */
export interface BodyContent {
  readonly promptTokens: number;
  readonly vision: boolean;
}

/**
 * What routing needs to know of a JSON body, found without building it: each fact when it is asked for. What is no object
 * has none.
 */
export class BodyFacts {
  #needs: RequestNeeds | undefined;

  #promptTokens: number | undefined;

  /**
   * @param spanOf finds a field of the top level; of one that comes twice the last
   * @param content where somebody has seen it; else the body is searched when it is asked for
   */
  constructor(
    readonly body: Buffer,
    private readonly spanOf: (field: string) => ValueSpan | undefined,
    private readonly content?: BodyContent,
  ) {}

  get promptTokens(): number {
    return (this.#promptTokens ??= this.content?.promptTokens ?? promptTokensOf(this.body));
  }

  get model(): string | undefined {
    return this.#textOf('model');
  }

  /** Where the value of `model` stands, if it is a text: the only bytes that are ever replaced. */
  get modelAt(): ValueSpan | undefined {
    const at = this.spanOf('model');
    return at && isText(this.body, at) ? at : undefined;
  }

  /** Where the value of `stream_options` stands, whatever it is. */
  get streamOptionsAt(): ValueSpan | undefined {
    return this.spanOf('stream_options');
  }

  get stream(): boolean {
    const at = this.spanOf('stream');
    return at !== undefined && this.body.toString('latin1', at[0], at[1]) === 'true';
  }

  get promptCacheKey(): string | undefined {
    return this.#textOf('prompt_cache_key');
  }

  get user(): string | undefined {
    return this.#textOf('user');
  }

  /** How the conversation begins, up to the first turn of the user: what later turns leave as it is. Empty where there is none. */
  get start(): string {
    const at = this.spanOf('messages') ?? this.spanOf('prompt') ?? this.spanOf('input');
    return at ? startOf(this.body, at) : '';
  }

  /** For targets that declare what they cannot do. */
  needs(): RequestNeeds {
    const tools = this.spanOf('tools');
    return (this.#needs ??= {
      tools:
        tools !== undefined && /^\[\s*[^\s\]]/.test(this.body.toString('latin1', tools[0], tools[0] + 16)),
      vision: this.content?.vision ?? IMAGE_TYPES.some((type) => this.body.includes(type)),
    });
  }

  #textOf(field: string): string | undefined {
    const at = this.spanOf(field);
    return at && isText(this.body, at) ? decode(this.body, at[0], at[1]) : undefined;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA] = [0x7b, 0x7d, 0x5b, 0x5d, 0x2c];

/** Reads the top level of a JSON object. What is no such object has no facts; a repeated key counts as JSON.parse has it. */
export function readBodyFacts(body: Buffer): BodyFacts {
  const fields = fieldsOf(body);
  return new BodyFacts(body, (field) => fields.get(field));
}

/** Where the values of a JSON object stand. */
export function fieldsOf(body: Buffer): ReadonlyMap<string, ValueSpan> {
  const fields = new Map<string, ValueSpan>();
  for (const [key, start, end] of topLevelFields(body)) fields.set(key, [start, end]);
  return fields;
}

/** Parts of chat completions, of responses and of messages. */
const IMAGE_TYPES = ['"image_url"', '"input_image"', '"type":"image"', '"type": "image"'];

/** The body with other texts in the places of these values, which come in their order; every other byte stays. */
export function withValues(body: Buffer, values: readonly (readonly [ValueSpan, string])[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const [[start, end], text] of values) {
    pieces.push(body.subarray(at, start), Buffer.from(text));
    at = end;
  }
  return Buffer.concat([...pieces, body.subarray(at)]);
}

function* topLevelFields(body: Buffer): Generator<[key: string, start: number, end: number]> {
  let at = skipSpace(body, 0);
  if (body[at] !== OPEN_OBJECT) return;
  at = skipSpace(body, at + 1);
  while (body[at] === QUOTE) {
    const keyEnd = endOfString(body, at);
    const start = skipSpace(body, skipSpace(body, keyEnd) + 1);
    const end = endOfValue(body, start);
    if (end <= start) return;
    yield [decode(body, at, keyEnd), start, end];
    at = skipSpace(body, end);
    if (body[at] !== COMMA) return;
    at = skipSpace(body, at + 1);
  }
}

/** Strings are skipped natively: nearly all of a large body is inside of them. */
function endOfString(body: Buffer, start: number): number {
  let at = body.indexOf(QUOTE, start + 1);
  while (at >= 0 && isEscaped(body, at)) at = body.indexOf(QUOTE, at + 1);
  return at < 0 ? body.length : at + 1;
}

function isEscaped(body: Buffer, at: number): boolean {
  let before = at - 1;
  while (body[before] === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}

function endOfValue(body: Buffer, start: number): number {
  let depth = 0;
  let at = start;
  while (at < body.length) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at);
      if (depth === 0) return at;
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth <= 0) return depth < 0 ? at : at + 1;
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return at;
    at += 1;
  }
  return at;
}

function skipSpace(body: Buffer, start: number): number {
  let at = start;
  while (isSpace(body[at])) at += 1;
  return at;
}

/** Conversations are told apart by so many bytes of their beginning and of the end of the first turn: many share a system prompt. */
const END_BYTES = 1_024;
/** System and developer prompts, examples: the first turn of the user is among the first few messages. */
const MOST_LEADING_MESSAGES = 4;
const USER_ROLE = /"role"\s*:\s*"user"/;
/** Clients move these hints from message to message as a conversation goes on. */
const CACHE_HINT = /,? ?"cache_control"\s*:\s*(\{[^{}]*\}|null)/g;
/** More than the hints of one message take. */
const HINT_BYTES = 512;

function startOf(body: Buffer, [from, to]: ValueSpan): string {
  // A text has everything that was said: only its beginning stays as it is.
  if (body[from] !== OPEN_LIST) return body.toString('latin1', from, Math.min(to, from + END_BYTES));
  const end = endOfFirstTurn(body, from + 1);
  const head = withoutHints(body, from, Math.min(end, from + END_BYTES + HINT_BYTES)).slice(0, END_BYTES);
  const tail = withoutHints(body, Math.max(from, end - END_BYTES - HINT_BYTES), end).slice(-END_BYTES);
  return head + tail;
}

function withoutHints(body: Buffer, from: number, to: number): string {
  return body.toString('latin1', from, to).replace(CACHE_HINT, '');
}

/** Behind the first message of the user: what later calls of the conversation begin with, too. */
function endOfFirstTurn(body: Buffer, start: number): number {
  let at = start;
  for (let count = 0; count < MOST_LEADING_MESSAGES; count += 1) {
    const from = skipSpace(body, at);
    const end = endOfValue(body, from);
    if (end <= from) return from;
    const isUser = isOfUser(body, from, end);
    at = skipSpace(body, end);
    if (isUser || body[at] !== COMMA) return end;
    at += 1;
  }
  return at;
}

/** A role stands in front of what is said, or behind it. */
function isOfUser(body: Buffer, from: number, to: number): boolean {
  const head = body.toString('latin1', from, Math.min(to, from + END_BYTES));
  return USER_ROLE.test(head) || USER_ROLE.test(body.toString('latin1', Math.max(from, to - END_BYTES), to));
}

/** The longest text of a field that is read: models and keys are short. */
const LONGEST_TEXT = 4_096;

function isText(body: Buffer, [start, end]: ValueSpan): boolean {
  return body[start] === QUOTE && end - start <= LONGEST_TEXT;
}

function decode(body: Buffer, start: number, end: number): string {
  const raw = body.toString('utf8', start, end);
  if (!raw.includes('\\')) return raw.slice(1, -1);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return raw;
  }
}
