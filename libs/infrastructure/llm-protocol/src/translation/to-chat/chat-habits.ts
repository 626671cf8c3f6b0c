import { createHash } from 'node:crypto';
import type { JsonObject } from '@morgan/foundation';
import { ownWordsIn, type ReportedError, THOUGHT_MISSED } from '@morgan/host-errors';
import { withThought } from '../missing-thoughts.ts';
import { resultsTaken } from './results-taken.ts';
import { systemFirst } from './system-first.ts';
import { shortened } from '../tool-names.ts';

/** What bounds an answer: as everybody knows it, and as newer models of OpenAI do. */
type LengthField = 'max_tokens' | 'max_completion_tokens';

/** What ids of calls have: anything; at most 40 characters, as OpenAI's; nine letters and digits, as Mistral's. */
type IdForm = 'any' | 'short' | 'nine';

/** How a model wants a chat completion where models differ; learned from its refusals. */
export interface ChatHabits {
  readonly lengthField: LengthField;
  /** How many tokens an answer may have at most. Clients ask for as many as Anthropic's models have, and most others have fewer. */
  readonly longest: number;
  /** Whether a system prompt has to be the first message. */
  readonly systemFirst: boolean;
  /** Whether the user can say nothing right behind the results of tools. */
  readonly resultsTaken: boolean;
  /** Whether a content is a text also where tools are called and nothing is said. */
  readonly noNull: boolean;
  /** A conversation may have begun at a host that has other ones. */
  readonly ids: IdForm;
  /** Whether each of its answers has to be sent back with a thought: where it called a tool without one, or another model answered. */
  readonly everyThought: boolean;
  /** Whether `high` is the most effort that it knows. */
  readonly usualEffort: boolean;
  /** Whether it knows the efforts that stand for a budget of thinking. */
  readonly budgets: boolean;
  /** Fields that it refuses, and that say nothing of what is asked. */
  readonly without: ReadonlySet<string>;
}

/** The habits that are assumed of a model before it has refused anything. */
export const USUAL_HABITS: ChatHabits = {
  lengthField: 'max_tokens',
  longest: Infinity,
  systemFirst: false,
  resultsTaken: false,
  noNull: false,
  ids: 'any',
  everyThought: false,
  usualEffort: false,
  budgets: true,
  without: new Set(),
};

/** How refusals name the fields that can be left out: whose the request is, how it is served, what was thought before. */
const SPARE_FIELDS: ReadonlyMap<string, RegExp> = new Map([
  ['reasoning_content', /\breasoning_content\b/],
  ['reasoning_details', /\breasoning_details\b/],
  ['thinking_blocks', /\bthinking_blocks\b/],
  ['extra_content', /\bextra_content\b/],
  ['reasoning_effort', /\breasoning_?effort\b|\bdoes not support thinking\b/i],
  ['service_tier', /\bservice_tier\b/],
  // Of messages it is a role.
  ['user', /\b(body\.|parameter:? ['"`]?|supplied: |property ['"`]?|field:? ['"`]?)user\b(?!\.)/i],
]);

const HIGHER_EFFORT = 'xhigh';

const NEWER_LENGTH = /max_tokens\W{1,8}is not supported[^]{0,400}max_completion_tokens/;
/** Of DeepSeek and Alibaba; of OpenAI; of Groq and NVIDIA; of Anthropic behind others. */
const TOO_LONG = [
  /\bmax_(?:completion_)?tokens\b[^]{0,80}\[1, ?(\d+)\]/i,
  /\bsupports at most (\d+) (?:completion|output) tokens/i,
  /\bmax_(?:completion_)?tokens\W{1,3}(?:must|input should) be less than or equal to \W?(\d+)/i,
  /\bmax_tokens: \d+ > (\d+), which is the maximum/i,
];
/** What templates say of any order that they do not know: it may be about either. */
const ORDER = /roles must alternate|after the \(?optional\)? system message/i;
/** Of Mistral. */
const USER_AFTER_TOOL = /unexpected role .?user.{0,4} after role .?tool/i;
/** Of Mistral and Perplexity, and of the templates of Qwen, Llama and Gemma. */
const SYSTEM_FIRST = [
  /system (message|prompt)\b[^]{0,40}\b(beginning|first|start)\b/i,
  /unexpected role .?system/i,
  ORDER,
  /last (message|role)\b[^]{0,80}\b(user|system)\b/i,
];
/** Of Google, of llama-cpp-python and other hosts in Python, and of some in Go. */
const NO_NULL =
  /\bcontent\b[^]{0,120}\b(null|none(type)?)\b|\bcontent\b[^]{0,60}\b(should|must) be a (valid )?string/i;
/** Of nearly all but OpenAI, and of its own older models. */
const EFFORT_TOO_HIGH = /\breasoning_?(effort|\W?value)\b[^]{0,400}\bx?high\b/i;
/** Of Groq, of Mistral and of OpenAI: what it knows instead. */
const EFFORT_UNKNOWN =
  /\breasoning_?effort\b[^]{0,60}\b(must be one of|input should be|does not support \W?\w+)/i;
const OF_BUDGETS = ['low', 'medium', 'high'].map((effort) => new RegExp(`\\b${effort}\\b`));
/** Of Mistral. */
const NINE_OF_ID = /\btool call id\b[^]{0,200}\blength of 9\b/i;
const LONG_ID = /tool_call(s\[\d+\]\.id|_id)\b[^]{0,20}too long/;
const LONGEST_ID = 40;
const UNKNOWN =
  /not (supported|permitted|allowed|recogni[sz]ed)|unsupported|unknown|unrecogni[sz]ed|unexpected|does not support|additional propert|extra (inputs?|fields?)/i;
/** The field is known then. */
const OF_VALUE = /unsupported value|supported values/i;

/** The habits, with what this refusal shows about them; undefined where it shows nothing new. */
export function habitsShown(
  habits: ChatHabits,
  { message: said, param }: Pick<ReportedError, 'message' | 'param'>,
): ChatHabits | undefined {
  const message = ownWordsIn(said);
  const { lengthField, longest, without } = habits;
  const most = longestIn(message);
  if (most < longest) return { ...habits, longest: most };
  if (lengthField === 'max_tokens' && NEWER_LENGTH.test(message))
    return { ...habits, lengthField: 'max_completion_tokens' };
  if (!habits.systemFirst && SYSTEM_FIRST.some((words) => words.test(message)))
    return { ...habits, systemFirst: true };
  if (!habits.resultsTaken && (USER_AFTER_TOOL.test(message) || ORDER.test(message)))
    return { ...habits, resultsTaken: true };
  if (!habits.noNull && NO_NULL.test(message)) return { ...habits, noNull: true };
  if (!habits.everyThought && THOUGHT_MISSED.test(message)) return { ...habits, everyThought: true };
  const efforts = { usualEffort: EFFORT_TOO_HIGH.test(message), budgets: takesBudgets({ message, param }) };
  if ((efforts.usualEffort && !habits.usualEffort) || (habits.budgets && !efforts.budgets))
    return { ...habits, ...efforts };
  if (habits.ids !== 'nine' && NINE_OF_ID.test(message)) return { ...habits, ids: 'nine' };
  if (habits.ids === 'any' && LONG_ID.test(message)) return { ...habits, ids: 'short' };
  if (!UNKNOWN.test(message) || OF_VALUE.test(message)) return undefined;
  for (const [name, mention] of SPARE_FIELDS)
    if (!without.has(name) && (param === name || mention.test(message)))
      return { ...habits, without: new Set([...without, name]) };
  return undefined;
}

/** Whether a refusal leaves open that the efforts for budgets are known. */
function takesBudgets({ message, param }: Pick<ReportedError, 'message' | 'param'>): boolean {
  const isOfEffort = param === 'reasoning_effort' && OF_VALUE.test(message);
  if (!isOfEffort && !EFFORT_UNKNOWN.test(message)) return true;
  const known = message.replace(/(does not support|invalid value)\W*\w+/i, '');
  return OF_BUDGETS.every((effort) => effort.test(known));
}

/** The most tokens of an answer that a refusal allows. */
function longestIn(message: string): number {
  const [found] = TOO_LONG.flatMap((words) => words.exec(message)?.[1] ?? []);
  return Number(found ?? Infinity) || Infinity;
}

/** A request as a model with these habits takes it, but for its length. */
export function adapted(given: JsonObject, habits: ChatHabits): JsonObject {
  const { without, ids, everyThought, noNull } = habits;
  const messages = given['messages'] as JsonObject[];
  const isTooHigh = habits.usualEffort && given['reasoning_effort'] === HIGHER_EFFORT;
  const request = isTooHigh ? { ...given, reasoning_effort: 'high' } : given;
  const inOrder = habits.systemFirst ? systemFirst(messages) : messages;
  const ordered = habits.resultsTaken ? resultsTaken(inOrder) : inOrder;
  if (without.size === 0 && ids === 'any' && !everyThought && !noNull)
    return { ...request, messages: ordered };
  const idOf = (id: unknown) =>
    ids === 'nine' ? ofNine(id) : ids === 'short' ? shortened(id, LONGEST_ID) : id;
  const adaptedMessage = (message: JsonObject) => {
    const { content, tool_calls: calls, tool_call_id: answered } = message;
    return {
      ...omit(everyThought ? withThought(message) : message, without),
      ...(noNull && content === null && { content: '' }),
      ...(Array.isArray(calls) && {
        tool_calls: calls.map((call: JsonObject) => ({ ...omit(call, without), id: idOf(call['id']) })),
      }),
      ...(answered !== undefined && { tool_call_id: idOf(answered) }),
    };
  };
  return { ...omit(request, without), messages: ordered.map(adaptedMessage) };
}

/** The same each time. */
function ofNine(id: unknown): unknown {
  if (typeof id !== 'string' || /^[a-zA-Z0-9]{9}$/.test(id)) return id;
  return createHash('sha256').update(id).digest('hex').slice(0, 9);
}

function omit(fields: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.has(name)));
}
