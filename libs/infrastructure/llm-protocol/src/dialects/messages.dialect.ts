import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import { inKnownWords } from './too-long.ts';
import { type ContentKind, type Dialect, NO_READING, type TokenUsage } from './dialect.ts';
import { saysNothing } from './event-reader.ts';
import { messagesEvents } from './messages.events.ts';
import { counts, dataEvent, head, isOpenAiError } from './openai-shapes.ts';

/** Anthropic's type for each status that has one of its own. */
const TYPE_OF: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

const CONTENT_OF: ReadonlyMap<unknown, { readonly kind: ContentKind; readonly field: string }> = new Map([
  ['text_delta', { kind: 'text', field: 'text' }],
  ['thinking_delta', { kind: 'reasoning', field: 'thinking' }],
  ['input_json_delta', { kind: 'tool', field: 'partial_json' }],
]);

/** Blocks that say nothing as they begin. */
const EMPTY_AT_FIRST: ReadonlySet<unknown> = new Set(['text', 'thinking', 'redacted_thinking']);

/** Anthropic's `/v1/messages`. */
export const messagesDialect: Dialect = {
  name: 'messages',
  textKey: 'text',
  resultKey: 'content',
  isNothing,
  endMarker: dataEvent({ type: 'message_stop' }, 'message_stop'),
  keepAlive: dataEvent({ type: 'ping' }, 'ping'),
  hasEnd: true,
  readEvent(json) {
    const { type, message, delta } = json;
    const change = isObject(delta) ? delta : {};
    const reason = type === 'message_delta' ? textOrNone(change['stop_reason']) : undefined;
    return {
      ...NO_READING,
      ...(isObject(message) && head(message)),
      ...readContent(json, change),
      usage: readUsage(isObject(message) ? message : json),
      finished: reason ? 1 : 0,
      finishReason: reason,
      isEnd: type === 'message_stop',
      isKeepAlive: type === 'ping',
    };
  },
  readBody: (json) => ({ ...head(json), usage: readUsage(json) }),
  eventsOf: messagesEvents,
  errorBody,
  isErrorBody: (json) => json['type'] === 'error' && isOpenAiError(json),
  errorEvent: (error) => dataEvent(errorBody(error), 'error'),
};

function isNothing({ content, stop_reason: reason, ...rest }: JsonObject): boolean {
  const isEmpty = Array.isArray(content) && content.length === 0;
  return isEmpty && saysNothing(readUsage(rest), textOrNone(reason));
}

function readContent({ type, content_block: block }: JsonObject, delta: JsonObject) {
  if (type === 'content_block_start' && isObject(block) && !EMPTY_AT_FIRST.has(block['type']))
    // A tool's name is all that a call without arguments has; results of searches and the like come whole.
    return { content: String(block['type']).endsWith('tool_use') ? ('tool' as const) : ('other' as const) };
  const entry = type === 'content_block_delta' ? CONTENT_OF.get(delta['type']) : undefined;
  const text = entry && textOrNone(delta[entry.field]);
  if (!entry || text === undefined) return {};
  return { content: entry.kind, text: entry.kind === 'text' ? text : '' };
}

/**
 * Anthropic counts what came from its cache, and what went into it, apart from the other input. Others say at the end of a
 * stream that there was none, which is no count.
 */
function readUsage({ usage }: JsonObject): TokenUsage | undefined {
  if (!isObject(usage)) return undefined;
  const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: made } = usage;
  const parts = [input, read, made].filter((part) => typeof part === 'number');
  const total = typeof input === 'number' ? parts.reduce((sum, part) => sum + part, 0) : 0;
  return counts(total === 0 ? undefined : total, usage['output_tokens'], read);
}

function errorBody(error: ReportedError): JsonObject {
  const { status = 500 } = error;
  const type = TYPE_OF.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  // By this its clients know that they have to send the whole conversation.
  const details = error.code === 'thread_not_found' && { details: { error_code: error.code } };
  return { type: 'error', error: { type, message: inKnownWords(error), ...details } };
}
