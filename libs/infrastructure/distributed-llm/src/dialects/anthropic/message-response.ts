import { AppError } from '@morgan/foundation';
import { isObject, type JsonObject, textOrNone } from '../reported-error.ts';

const STOP_REASONS: ReadonlyMap<unknown, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
]);

/** Why a message ended, as Anthropic says it. */
export interface Stop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** @param hasTools whether it calls tools: some hosts say `stop` then. */
export function stopOf({ finish_reason: finish, stop_reason: matched }: JsonObject, hasTools: boolean): Stop {
  // vLLM names the sequence that stopped it.
  const sequence = finish === 'stop' ? textOrNone(matched) : undefined;
  if (sequence !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: sequence };
  const reason = hasTools && finish === 'stop' ? 'tool_use' : STOP_REASONS.get(finish);
  return { stop_reason: reason ?? 'end_turn', stop_sequence: null };
}

/** Token counts of chat completions as Anthropic's, which count what came from a cache apart. */
export function messageUsage(usage: unknown): JsonObject {
  const fields = isObject(usage) ? usage : {};
  const details = isObject(fields['prompt_tokens_details']) ? fields['prompt_tokens_details'] : {};
  const cached = Number(details['cached_tokens'] ?? 0);
  return {
    input_tokens: Number(fields['prompt_tokens'] ?? 0) - cached,
    output_tokens: Number(fields['completion_tokens'] ?? 0),
    ...(cached > 0 && { cache_read_input_tokens: cached }),
  };
}

/** Anthropic's ids begin with their kind. */
export function messageId(id: unknown): string {
  return `msg_${typeof id === 'string' ? id : 'unknown'}`;
}

/** For a call that its host gave no id: the result is sent back under it. */
export function callId(place: number): string {
  return `call_${place}`;
}

/**
 * A response of `/v1/chat/completions` as one of `/v1/messages`.
 * @throws AppError `host_error` when it has no choice, or arguments of a tool that are no JSON.
 */
export function toMessageResponse(completion: JsonObject): JsonObject {
  const choice: unknown = Array.isArray(completion['choices']) ? completion['choices'][0] : undefined;
  if (!isObject(choice) || !isObject(choice['message']))
    throw new AppError('host_error', 'The host answered without a choice.');
  const content = blocksOf(choice['message']);
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
    usage: messageUsage(completion['usage']),
  };
}

function blocksOf(message: JsonObject): JsonObject[] {
  const thinking = textOrNone(message['reasoning_content']) ?? textOrNone(message['reasoning']);
  const text = textOrNone(message['content']) ?? textOrNone(message['refusal']);
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isObject) : [];
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature: '' }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(toolUse),
  ];
}

function toolUse({ id, function: called }: JsonObject, place: number): JsonObject {
  const { name, arguments: text } = isObject(called) ? called : {};
  return { type: 'tool_use', id: textOrNone(id) ?? callId(place), name, input: parseInput(text) };
}

function parseInput(text: unknown): unknown {
  if (typeof text !== 'string' || text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('host_error', 'The host called a tool with arguments that are not JSON.', { cause });
  }
}
