import { isObject, type JsonObject } from '@morgan/foundation';
import type { DialectName } from '../../dialects/dialect.ts';

/**
 * How a host is asked to go on with an assistant's text: vLLM and SGLang by two flags, DeepSeek and Mistral by a mark on
 * the message, Anthropic and llama.cpp by the message alone.
 */
export type ContinuationStyle = 'vllm' | 'prefix' | 'prefill';

const FLAGS: Readonly<
  Record<ContinuationStyle, { readonly body: JsonObject; readonly message: JsonObject }>
> = {
  vllm: { body: { continue_final_message: true, add_generation_prompt: false }, message: {} },
  prefix: { body: {}, message: { prefix: true } },
  prefill: { body: {}, message: {} },
};

/** The fields that bound a response's length, whichever a request has, and the least that each may say. For llama.cpp -1 is no limit. */
const LENGTHS = [
  ['max_tokens', 1],
  ['max_completion_tokens', 1],
  ['min_tokens', 0],
] as const;

/** An interrupted response, as far as asking for the rest of it needs. */
export interface Interrupted {
  /** The text that the caller has. */
  readonly text: string;
  /** About how many tokens that is, with the reasoning before it: they come off the length that the caller allowed. */
  readonly tokens: number;
}

/** A request for the rest of a response. Undefined: this request has no place for the text so far. */
export function continuationRequest(
  dialect: DialectName,
  style: ContinuationStyle,
  body: JsonObject,
  sent: Interrupted,
): JsonObject | undefined {
  const shortened = { ...body, ...lengths(body, sent.tokens) };
  // It would repeat what the caller has.
  if (body['echo'] === true) return undefined;
  if (dialect === 'completions') {
    const { prompt } = body;
    return typeof prompt === 'string' ? { ...shortened, prompt: prompt + sent.text } : undefined;
  }
  const { messages } = body;
  if ((dialect !== 'chat' && dialect !== 'messages') || !Array.isArray(messages)) return undefined;
  // The caller's own prefix would be a second assistant message in a row.
  const last: unknown = messages.at(-1);
  if (isObject(last) && last['role'] === 'assistant') return undefined;
  // Anthropic refuses a prefix that ends in white space.
  if (dialect === 'messages' && sent.text !== sent.text.trimEnd()) return undefined;
  const { body: flags, message } = dialect === 'messages' ? FLAGS.prefill : FLAGS[style];
  const prefix = { role: 'assistant', content: sent.text, ...message };
  return { ...shortened, ...flags, messages: [...(messages as unknown[]), prefix] };
}

/** A chat completion that ends with the beginning of its answer, so that hosts of this kind go on with it. */
export function prefilledRequest(chat: JsonObject, style: ContinuationStyle): JsonObject {
  const messages = Array.isArray(chat['messages']) ? chat['messages'].filter(isObject) : [];
  const last = messages.at(-1);
  if (last?.['role'] !== 'assistant' || last['tool_calls'] !== undefined) return chat;
  const { body, message } = FLAGS[style];
  return { ...chat, ...body, messages: [...messages.slice(0, -1), { ...last, ...message }] };
}

function lengths(body: JsonObject, tokens: number): JsonObject {
  const entries = LENGTHS.flatMap(([field, least]) => {
    const allowed = body[field];
    const isLimit = typeof allowed === 'number' && allowed > 0;
    return isLimit ? [[field, Math.max(least, allowed - tokens)] as const] : [];
  });
  return Object.fromEntries(entries);
}
