import { randomUUID } from 'node:crypto';
import { AppError, isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { isFiltered } from '../../dialects/event-reader.ts';
import { argumentsOf, completionUsage, counts } from '../../dialects/openai-shapes.ts';
import { type AskedMessage, askedMessage } from '../asked-message.ts';
import { callsIn, saidIn, shownIn } from './said.ts';
import { Sources } from './sources.ts';
import { ThoughtProofs } from '../thought-proofs.ts';
import { signedId } from '../thought-signature.ts';
import { endOf, isCut, stopOf } from './stop.ts';
import { inputIn } from './tool-input.ts';

/** Anthropic's counts. */
interface MessageUsage extends JsonObject {
  readonly output_tokens: number;
}

/**
 * Token counts of a chat completion, or of an event of one, as Anthropic's, which count apart what came from a cache, or went into one.
 * A prompt that nobody has counted is as long as it was taken for: by it clients tell how full their context is.
 */
export function messageUsage(completion: JsonObject, { promptTokens }: AskedMessage): MessageUsage {
  const { input: counted = 0, output = 0, cachedInput: cached = 0 } = completionUsage(completion) ?? {};
  const input = counted > 0 ? counted : promptTokens;
  const rest = Math.max(0, input - cached);
  const made = Math.min(rest, cacheCreation(completion));
  return {
    input_tokens: rest - made,
    output_tokens: output,
    // Clients add these up, so they are always there.
    cache_creation_input_tokens: made,
    cache_read_input_tokens: cached,
  };
}

/** LiteLLM and OpenRouter say it of models of Anthropic, within the tokens of the prompt. */
function cacheCreation({ usage }: JsonObject): number {
  const { cache_creation_input_tokens: ofLiteLlm, prompt_tokens_details: details } = isObject(usage)
    ? usage
    : {};
  const { cache_write_tokens: ofOpenRouter } = isObject(details) ? details : {};
  return counts(ofLiteLlm ?? ofOpenRouter, undefined, undefined).input ?? 0;
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
 * A response of `/v1/chat/completions` as one of `/v1/messages`. Several choices were not asked for: they are parts of one answer, as
 * GitHub Copilot has the text in one and the calls of tools in another.
 * @param asked what it answers.
 * @throws AppError `host_error` when it has no choice, shows what no message has room for, or has a call without a name or with
 * arguments that are no JSON.
 */
export function toMessageResponse(completion: JsonObject, asked: AskedMessage = askedMessage()): JsonObject {
  const { choices: listed } = completion;
  const choices = Array.isArray(listed) ? listed.filter(isObject) : [];
  const messages = choices.map((choice) => choice['message']).filter(isObject);
  const isRefused = choices.length === 0 && isFiltered(completion);
  if (messages.length === 0 && !isRefused)
    throw new AppError('host_error', 'The host answered without a choice.');
  const usage = messageUsage(completion, asked);
  const choice = endOf(choices);
  const isShort = isCut(choice, usage.output_tokens, asked);
  const { blocks, isHalf } = blocksOf(messages, { completion, asked, isShort });
  const hasTools = blocks.some(({ type }) => type === 'tool_use');
  const hasRefusal = isRefused || messages.some(({ refusal }) => textOrNone(refusal) !== undefined);
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

interface ContentOptions {
  readonly completion: JsonObject;
  readonly asked: AskedMessage;
  /** Whether it broke off at its longest: half a call is none, and why it is not there is said. */
  readonly isShort: boolean;
}

function blocksOf(messages: readonly JsonObject[], { completion, asked, isShort }: ContentOptions): Content {
  const calls = messages.flatMap(callsIn);
  const ids = new CallIds();
  const uses = calls.flatMap((call) => toolUse(call, { asked, ids, isShort }));
  const said = messages.flatMap((message) => saidBlocks(message, completion, asked));
  const blocks = [...said, ...uses];
  if (blocks.length === 0 && messages.some(({ audio }) => isObject(audio))) throw cannotShow('audio');
  return { blocks, isHalf: uses.length < calls.length };
}

function saidBlocks(message: JsonObject, completion: JsonObject, asked: AskedMessage): JsonObject[] {
  const shown = shownIn(message);
  if (shown !== undefined) throw cannotShow(shown);
  const { thinking, text } = saidIn(message);
  const sources = new Sources();
  sources.note(message, completion);
  const citations = sources.take();
  const proofs = new ThoughtProofs();
  proofs.note(message);
  const signature = proofs.take(asked.model) ?? '';
  const thought = asked.showsThoughts ? (thinking ?? '') : '';
  return [
    ...(thought || signature ? [{ type: 'thinking', thinking: thought, signature }] : []),
    ...(text === undefined ? [] : [{ type: 'text', text, ...(citations.length > 0 && { citations }) }]),
  ];
}

/** Of an answer without it nobody could tell that something is missing. */
export function cannotShow(what: string): AppError {
  return new AppError('host_error', `The host answered with '${what}', which a message has no room for.`);
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
