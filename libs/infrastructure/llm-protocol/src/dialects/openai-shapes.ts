import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import type { Dialect, TokenUsage } from './dialect.ts';

/** What chat and text completions end with. */
export const DONE_EVENT = Buffer.from('data: [DONE]\n\n');

/**
 * `usage` as OpenAI's completions have it, or in the words of its responses, as mlx-vlm's; Moonshot's last event has it in its choice,
 * and Groq's in a field of its own.
 */
export function completionUsage({ usage: own, choices, x_groq: groq }: JsonObject): TokenUsage | undefined {
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const usage = own ?? (isObject(choice) ? choice['usage'] : undefined) ?? (isObject(groq) && groq['usage']);
  if (!isObject(usage)) return undefined;
  const { cached_tokens: ofMoonshot, prompt_cache_hit_tokens: ofDeepSeek } = usage;
  const details = usage['prompt_tokens_details'] ?? usage['input_tokens_details'];
  const fromCache = cached(details) ?? ofMoonshot ?? ofDeepSeek;
  const input = usage['prompt_tokens'] ?? usage['input_tokens'];
  return counts(input, outputIn(usage, input, fromCache), fromCache);
}

/** xAI and Google count what was thought in the total only; with others that has what came from a cache besides. */
function outputIn(usage: JsonObject, input: unknown, fromCache: unknown): unknown {
  const { total_tokens: total } = usage;
  const output = usage['completion_tokens'] ?? usage['output_tokens'];
  if (!isCount(input) || !isCount(output) || !isCount(total)) return output;
  const thought = total - input - output;
  return thought > 0 && thought !== fromCache ? output + thought : output;
}

/** `usage` as the Responses API has it. */
export function responsesUsage({ usage }: JsonObject): TokenUsage | undefined {
  if (!isObject(usage)) return undefined;
  return counts(usage['input_tokens'], usage['output_tokens'], cached(usage['input_tokens_details']));
}

/** Far above any request: what is more would empty a limit of tokens for days. */
const MOST_TOKENS = 1e9;

/** The counts that are valid: a host may say -1 for one that it does not know. */
export function counts(input: unknown, output: unknown, cachedInput: unknown): TokenUsage {
  return {
    ...(isCount(input) && { input }),
    ...(isCount(output) && { output }),
    ...(isCount(cachedInput) && { cachedInput }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS;
}

/** The fields `id` and `model`. */
export function head({ id, model }: JsonObject): { id: string | undefined; model: string | undefined } {
  return { id: textOrNone(id), model: textOrNone(model) };
}

/** Why a choice has ended. Some hosts write the text `null` while it goes on. */
export function finishReasonOf({ finish_reason: reason }: JsonObject): string | undefined {
  return reason === 'null' ? undefined : textOrNone(reason);
}

/** Names of what was thought: of fields, and of the types of parts. */
export const OF_THOUGHT = /^(reason|think|thoughts?$)/;

/**
 * The calls of tools in a message or a part of one. Some hosts have an object in the place of the list: the only call, or all by
 * their places.
 */
export function callsOf({ tool_calls: calls }: JsonObject): JsonObject[] {
  if (!isObject(calls)) return Array.isArray(calls) ? calls.filter(isObject) : [];
  if ('function' in calls || 'id' in calls) return [calls];
  return Object.entries(calls).flatMap(([place, call]) =>
    isObject(call) ? [{ index: Number(place), ...call }] : [],
  );
}

/** What a tool is called with, as JSON: some hosts send the object itself. */
export function argumentsOf({ arguments: given }: JsonObject): string | undefined {
  return isObject(given) ? JSON.stringify(given) : textOrNone(given);
}

/** OpenAI's error body. */
export function openAiError({ message, type, param, code, status }: ReportedError): JsonObject {
  return {
    error: {
      message,
      type: type ?? (status !== undefined && status < 500 ? 'invalid_request_error' : 'server_error'),
      param: param ?? null,
      code: code ?? (status === undefined ? null : String(status)),
    },
  };
}

/** Whether a refusal has OpenAI's shape; Anthropic's has it inside. */
export function isOpenAiError({ error }: JsonObject): boolean {
  return isObject(error) && typeof error['message'] === 'string';
}

/** An event with one line of data. */
export function dataEvent(json: JsonObject, type?: string): Buffer {
  return Buffer.from(`${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(json)}\n\n`);
}

/** How most of OpenAI's API tells errors, in a body and in a stream. */
export const OPENAI_ERRORS: Pick<Dialect, 'errorBody' | 'isErrorBody' | 'errorEvent'> = {
  errorBody: openAiError,
  isErrorBody: isOpenAiError,
  errorEvent: (error) => dataEvent(openAiError(error)),
};

function cached(details: unknown): unknown {
  return isObject(details) ? details['cached_tokens'] : undefined;
}
