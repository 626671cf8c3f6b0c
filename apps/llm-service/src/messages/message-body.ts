import type { ReportedError } from '@morgan/host-errors';
import { AppError, isObject, type JsonObject } from '@morgan/foundation';
import {
  type BodyContent,
  BodyFacts,
  type ChatHabits,
  type ContinuationStyle,
  estimatedTokens,
  fieldsOf,
  parseExactly,
  prefilledRequest,
  toChatRequest,
  type ValueSpan,
  withoutForeignParts,
} from '@morgan/llm-protocol';

/** What is known of those who are asked. */
export interface AskedModel {
  readonly habits?: ChatHabits;
  /** How its hosts go on with a response that has begun: messages may end with the beginning of one. */
  readonly continuation?: ContinuationStyle | undefined;
}

/** The body of a message as that of a chat completion. */
export interface ChatBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What routing needs to know of them, in parts that pass from thread to thread. */
  readonly fields: ReadonlyMap<string, ValueSpan>;
  readonly content: BodyContent;
  /** What has to be known of the message to tell its response; of its tools the names, of its prompt about how long it is. */
  readonly message: JsonObject;
}

/**
 * @param free called when much that was needed is needed no more
 * @throws AppError about what there is no counterpart for.
 */
export function chatBody(message: Uint8Array, asked: AskedModel, free = () => undefined): ChatBody {
  const { json, message: told } = chatJson(message, asked, free);
  free();
  const bytes = new TextEncoder().encode(json);
  const fields = fieldsOf(asBuffer(bytes));
  const facts = new BodyFacts(asBuffer(bytes), (field) => fields.get(field));
  const content = { promptTokens: facts.promptTokens, vision: facts.needs().vision };
  return { bytes, fields, content, message: { ...told, prompt_tokens: facts.promptTokens } };
}

function chatJson(message: Uint8Array, { habits, continuation }: AskedModel, free: () => void) {
  const request = requestIn(message);
  free();
  const chat = toChatRequest(request, habits);
  const json = JSON.stringify(continuation === undefined ? chat : prefilledRequest(chat, continuation));
  const { model, tools, stop_sequences, thinking } = request;
  // As it was asked for: a model may have fewer than the caller wants.
  const max_tokens = chat['max_tokens'] ?? chat['max_completion_tokens'];
  const named = Array.isArray(tools) ? tools.filter(isObject).map(({ name }) => ({ name })) : [];
  return { json, message: { model, tools: named, stop_sequences, max_tokens, thinking } };
}

function requestIn(message: Uint8Array): JsonObject {
  return parseExactly(asBuffer(message).toString()) as JsonObject;
}

/** A body as its own host takes it. */
export type BodyWithoutForeignParts = Pick<ChatBody, 'bytes' | 'fields'>;

/** A message or a response without what was thought at another host; undefined where there is nothing to take out. */
export function bodyWithoutForeignParts(
  body: Uint8Array,
  error: ReportedError,
): BodyWithoutForeignParts | undefined {
  const request = withoutForeignParts(requestIn(body), error);
  if (!request) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  return { bytes, fields: fieldsOf(asBuffer(bytes)) };
}

/** About how many tokens a message has. @throws AppError `invalid_type` where there is nothing to count. */
export function tokensOfMessage(message: Uint8Array): number {
  const request: unknown = JSON.parse(asBuffer(message).toString());
  if (isObject(request) && Array.isArray(request['messages'])) return estimatedTokens(request);
  throw new AppError('invalid_type', "'messages' must be a list of messages.", { param: 'messages' });
}

/** The same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
