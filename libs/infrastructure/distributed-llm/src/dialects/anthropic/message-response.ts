import { randomUUID } from 'node:crypto';
import { AppError } from '@morgan/foundation';
import { completionUsage } from '../openai-shapes.ts';
import { isObject, type JsonObject, textOrNone } from '../json-value.ts';
import { type AskedMessage, askedMessage } from './asked-message.ts';
import { callsIn, saidIn } from './said.ts';
import { signedId } from './thought-signature.ts';
import { isCut, stopOf } from './stop.ts';
import { argumentsOf, inputIn } from './tool-input.ts';

/** Anthropic's counts. */
export interface MessageUsage extends JsonObject {
  readonly output_tokens: number;
}

/** Token counts of a chat completion, or of an event of one, as Anthropic's, which count what came from a cache apart. */
export function messageUsage(completion: JsonObject): MessageUsage {
  const { input = 0, output = 0, cachedInput: cached = 0 } = completionUsage(completion) ?? {};
  return {
    input_tokens: Math.max(0, input - cached),
    output_tokens: output,
    // Clients add these up, so they are always there.
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
  };
}

/** Anthropic's ids begin with their kind. */
export function messageId(id: unknown): string {
  return `msg_${typeof id === 'string' ? id : 'unknown'}`;
}

/** The ids of the calls in one message, each of which is answered under its own. */
export class CallIds {
  readonly #given = new Set<string>();

  /**
   * @param said the host's, if it gave one: some give none, and some the same to all calls.
   * @param call which may have more that its host wants back.
   */
  of(said: string | undefined, call: JsonObject): string {
    const own = said === undefined || this.#given.has(said) ? newCallId() : said;
    this.#given.add(own);
    return signedId(own, call);
  }
}

/** The result is sent back under it, beside those of all calls before. */
function newCallId(): string {
  return `call_${randomUUID().replaceAll('-', '')}`;
}

/**
 * A response of `/v1/chat/completions` as one of `/v1/messages`.
 * @param asked what it answers.
 * @throws AppError `host_error` when it has no choice, or a call without a name or with arguments that are no JSON.
 */
export function toMessageResponse(completion: JsonObject, asked: AskedMessage = askedMessage()): JsonObject {
  const choice: unknown = Array.isArray(completion['choices']) ? completion['choices'][0] : undefined;
  if (!isObject(choice) || !isObject(choice['message']))
    throw new AppError('host_error', 'The host answered without a choice.');
  const { message } = choice;
  const usage = messageUsage(completion);
  const isShort = isCut(choice, usage.output_tokens, asked);
  const { blocks, isHalf } = blocksOf(message, asked, isShort);
  const hasTools = blocks.some(({ type }) => type === 'tool_use');
  const hasRefusal = textOrNone(message['refusal']) !== undefined;
  return {
    id: messageId(completion['id']),
    type: 'message',
    role: 'assistant',
    model: textOrNone(completion['model']) ?? asked.model,
    content: blocks,
    ...stopOf({ choice, hasTools, hasRefusal, isHalf }, asked),
    usage,
  };
}

interface Content {
  readonly blocks: readonly JsonObject[];
  /** Whether a call was left out that has no end. */
  readonly isHalf: boolean;
}

/** @param isShort whether it broke off at its longest: half a call is none, and why it is not there is said. */
function blocksOf(message: JsonObject, asked: AskedMessage, isShort: boolean): Content {
  const { thinking, text } = saidIn(message);
  const calls = callsIn(message);
  const ids = new CallIds();
  const uses = calls.flatMap((call) => toolUse(call, { asked, ids, isShort }));
  const blocks = [
    ...(thinking === undefined || !asked.showsThoughts
      ? []
      : [{ type: 'thinking', thinking, signature: '' }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...uses,
  ];
  return { blocks, isHalf: uses.length < calls.length };
}

interface ToolUseOptions {
  readonly asked: AskedMessage;
  readonly ids: CallIds;
  readonly isShort: boolean;
}

function toolUse(call: JsonObject, { asked, ids, isShort }: ToolUseOptions): JsonObject[] {
  const { id, function: called } = call;
  const fields = isObject(called) ? called : {};
  try {
    const input = inputIn(argumentsOf(fields) ?? '');
    if (textOrNone(fields['name']) === undefined)
      throw new AppError('host_error', 'The host called a tool without a name.');
    const name = asked.names.callers(fields['name']);
    return [{ type: 'tool_use', id: ids.of(textOrNone(id), call), name, input }];
  } catch (error) {
    if (isShort) return [];
    throw error;
  }
}
