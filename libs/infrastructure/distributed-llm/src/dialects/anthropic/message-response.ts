import { randomUUID } from 'node:crypto';
import { AppError } from '@morgan/foundation';
import { parseExactly } from '../exact-json.ts';
import { completionUsage } from '../openai-shapes.ts';
import { isObject, type JsonObject, textOrNone } from '../reported-error.ts';
import { signedId } from './thought-signature.ts';
import { ToolNames } from './tool-names.ts';

const STOP_REASONS: ReadonlyMap<unknown, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['max_tokens', 'max_tokens'],
  ['model_length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
]);

/** Why a message ended, as Anthropic says it. */
export interface Stop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/**
 * @param hasTools whether it calls tools: clients run them for this reason only, and wait for some where it is said, while
 * hosts say `stop` with tools, `tool_calls` without, or nothing.
 */
export function stopOf(choice: JsonObject, hasTools: boolean): Stop {
  const { finish_reason: finish, stop_reason: ofVllm, matched_stop: ofSglang } = choice;
  // Both name the sequence that stopped them; a token that did has a number.
  const sequence = finish === 'stop' ? (textOrNone(ofVllm) ?? textOrNone(ofSglang)) : undefined;
  if (sequence !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: sequence };
  const reason = STOP_REASONS.get(finish) ?? 'end_turn';
  const isWhole = reason === 'end_turn' || reason === 'tool_use';
  const ending = hasTools ? 'tool_use' : 'end_turn';
  return { stop_reason: isWhole ? ending : reason, stop_sequence: null };
}

/** Token counts of a chat completion, or of an event of one, as Anthropic's, which count what came from a cache apart. */
export function messageUsage(completion: JsonObject): JsonObject {
  const { input = 0, output = 0, cachedInput: cached = 0 } = completionUsage(completion) ?? {};
  return {
    input_tokens: Math.max(0, input - cached),
    output_tokens: output,
    // Clients add these up, so they are always there.
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
  };
}

/** What a message or a part of one says, whichever of their names hosts have for it. */
export interface Said {
  readonly thinking: string | undefined;
  readonly text: string | undefined;
}

/** Mistral's content is a list of parts, of which a thought is a list again. */
export function saidIn({ content, refusal, reasoning, reasoning_content: thought }: JsonObject): Said {
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  const thoughts = parts.flatMap(({ thinking }) =>
    Array.isArray(thinking) ? thinking.filter(isObject) : [],
  );
  return {
    thinking: textOrNone(thought) ?? textOrNone(reasoning) ?? textOrNone(textOf(thoughts)),
    text: textOrNone(content) ?? textOrNone(textOf(parts)) ?? textOrNone(refusal),
  };
}

function textOf(parts: readonly JsonObject[]): string {
  return parts.map(({ text }) => textOrNone(text) ?? '').join('');
}

/** Arguments of a tool as JSON: some hosts send the object itself. */
export function argumentsOf(called: JsonObject): string | undefined {
  const { arguments: given } = called;
  return isObject(given) ? JSON.stringify(given) : textOrNone(given);
}

/** Anthropic's ids begin with their kind. */
export function messageId(id: unknown): string {
  return `msg_${typeof id === 'string' ? id : 'unknown'}`;
}

/** For a call that its host gave no id: the result is sent back under it, beside those of all calls before. */
export function newCallId(): string {
  return `call_${randomUUID().replaceAll('-', '')}`;
}

/**
 * A response of `/v1/chat/completions` as one of `/v1/messages`.
 * @param names of the tools that it may call.
 * @throws AppError `host_error` when it has no choice, or arguments of a tool that are no JSON.
 */
export function toMessageResponse(completion: JsonObject, names = new ToolNames()): JsonObject {
  const choice: unknown = Array.isArray(completion['choices']) ? completion['choices'][0] : undefined;
  if (!isObject(choice) || !isObject(choice['message']))
    throw new AppError('host_error', 'The host answered without a choice.');
  const isCut = stopOf(choice, false).stop_reason === 'max_tokens';
  const content = blocksOf(choice['message'], names, isCut);
  const hasTools = content.some(({ type }) => type === 'tool_use');
  const stop = stopOf(choice, hasTools);
  return {
    id: messageId(completion['id']),
    type: 'message',
    role: 'assistant',
    model: completion['model'],
    content,
    ...stop,
    ...(textOrNone(choice['message']['refusal']) && { stop_reason: 'refusal' }),
    usage: messageUsage(completion),
  };
}

/** @param isCut whether it broke off at its longest: half a call is none, and why it is not there is said. */
function blocksOf(message: JsonObject, names: ToolNames, isCut: boolean): JsonObject[] {
  const { thinking, text } = saidIn(message);
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isObject) : [];
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature: '' }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.flatMap((call) => toolUse(call, names, isCut)),
  ];
}

function toolUse(call: JsonObject, names: ToolNames, isCut: boolean): JsonObject[] {
  const { id, function: called } = call;
  const fields = isObject(called) ? called : {};
  const name = names.callers(fields['name']);
  try {
    const input = parseInput(argumentsOf(fields) ?? '');
    return [{ type: 'tool_use', id: signedId(textOrNone(id) ?? newCallId(), call), name, input }];
  } catch (cause) {
    if (isCut) return [];
    throw new AppError('host_error', 'The host called a tool with arguments that are not JSON.', { cause });
  }
}

/** Some hosts have `null` for no arguments. */
function parseInput(text: string): unknown {
  return text.trim() === '' ? {} : (parseExactly(text) ?? {});
}
