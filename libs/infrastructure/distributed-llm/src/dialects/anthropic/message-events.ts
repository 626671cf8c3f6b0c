import { StreamFault } from '../../streams/stream-fault.ts';
import type { StreamTranslator } from '../dialect.ts';
import { completionUsage, dataEvent, finishReasonOf } from '../openai-shapes.ts';
import { isObject, type JsonObject, textOrNone } from '../reported-error.ts';
import {
  argumentsOf,
  messageId,
  messageUsage,
  newCallId,
  saidIn,
  type Stop,
  stopOf,
} from './message-response.ts';

interface OpenBlock {
  readonly type: 'thinking' | 'text' | 'tool_use';
  readonly index: number;
  /** The place of the call among the host's calls, and its id: some hosts give all of them the same place. */
  readonly call?: unknown;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * The events of a streamed chat completion as those of a message, in Anthropic's order: `message_start`; each block's
 * start, deltas and stop; `message_delta` with the reason and the counts; `message_stop`. One block is open at a time.
 */
export class MessageEvents implements StreamTranslator {
  #block: OpenBlock | undefined;
  #blocks = 0;
  #hasStarted = false;
  #hasTools = false;
  #hasRefusal = false;
  #finish: JsonObject = {};
  /** Of the open block, where it calls a tool. */
  #arguments = '';
  /** The last event with counts. */
  #counted: JsonObject = {};

  /** @throws StreamFault `host_error` when the host goes back to a tool call that another one has followed. */
  take(json: JsonObject): Buffer[] {
    if (completionUsage(json)) this.#counted = json;
    const choice: unknown = Array.isArray(json['choices']) ? json['choices'][0] : undefined;
    // Azure begins with what its filter found, under no id and of no model.
    if (!isObject(choice)) return [];
    const events = this.#hasStarted ? [] : [this.#start(json)];
    if (isObject(choice['delta'])) events.push(...this.#delta(choice['delta']));
    if (finishReasonOf(choice)) this.#finish = choice;
    return events;
  }

  /** What a whole response ends with. */
  end(): Buffer[] {
    const stop: Stop = stopOf(this.#finish, this.#hasTools);
    const delta = this.#hasRefusal ? { ...stop, stop_reason: 'refusal' } : stop;
    const usage = messageUsage(this.#counted);
    return [
      ...(this.#hasStarted ? [] : [this.#start({})]),
      ...this.#close(),
      event({ type: 'message_delta', delta, usage }),
      event({ type: 'message_stop' }),
    ];
  }

  /** The host counts at its end only; Anthropic's clients take the counts of `message_delta` over. */
  #start(json: JsonObject): Buffer {
    const { id, model = '' } = json;
    this.#hasStarted = true;
    const head = { id: messageId(id), type: 'message', role: 'assistant', model };
    const message = {
      ...head,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: messageUsage(json),
    };
    return event({ type: 'message_start', message });
  }

  #delta(delta: JsonObject): Buffer[] {
    const { thinking, text } = saidIn(delta);
    if (textOrNone(delta['refusal'])) this.#hasRefusal = true;
    const calls = Array.isArray(delta['tool_calls']) ? delta['tool_calls'].filter(isObject) : [];
    return [
      ...(thinking === undefined ? [] : this.#piece('thinking', { type: 'thinking_delta', thinking })),
      ...(text === undefined ? [] : this.#piece('text', { type: 'text_delta', text })),
      ...calls.flatMap((call) => this.#call(call)),
    ];
  }

  #piece(type: 'thinking' | 'text', delta: JsonObject): Buffer[] {
    const empty = type === 'text' ? { type, text: '' } : { type, thinking: '', signature: '' };
    const opening = this.#block?.type === type ? [] : this.#open({ type }, empty);
    return [...opening, this.#change(delta)];
  }

  #call({ index = 0, id: given, function: called }: JsonObject): Buffer[] {
    const fields = isObject(called) ? called : {};
    const said = textOrNone(given);
    const open = this.#block?.type === 'tool_use' ? this.#block : undefined;
    const name = textOrNone(fields['name']) ?? (open?.call === index ? open?.name : undefined);
    const piece = argumentsOf(fields);
    const isOther = said === undefined ? name !== open?.name || this.#isNext(piece) : said !== open?.id;
    const isNew = open?.call !== index || isOther;
    if (isNew && said === undefined && name === undefined)
      throw new StreamFault('host_error', 'The host went on with a tool call that it had left.');
    this.#hasTools = true;
    const opening = isNew ? this.#openCall(index, name, said ?? newCallId()) : [];
    if (piece === undefined) return opening;
    this.#arguments += piece;
    return [...opening, this.#change({ type: 'input_json_delta', partial_json: piece })];
  }

  #openCall(call: unknown, name: string | undefined, id: string): Buffer[] {
    const type = 'tool_use';
    return this.#open({ type, call, id, name }, { type, id, name, input: {} });
  }

  /** Whether it begins the arguments of another call: some hosts give all of them one place, and no ids. */
  #isNext(piece = ''): boolean {
    return piece.startsWith('{') && this.#arguments.endsWith('}') && isWholeJson(this.#arguments);
  }

  #open(block: Omit<OpenBlock, 'index'>, empty: JsonObject): Buffer[] {
    const closing = this.#close();
    this.#block = { ...block, index: this.#blocks };
    this.#arguments = '';
    this.#blocks += 1;
    return [
      ...closing,
      event({ type: 'content_block_start', index: this.#block.index, content_block: empty }),
    ];
  }

  #change(delta: JsonObject): Buffer {
    return event({ type: 'content_block_delta', index: this.#block?.index, delta });
  }

  #close(): Buffer[] {
    if (!this.#block) return [];
    const { index } = this.#block;
    this.#block = undefined;
    return [event({ type: 'content_block_stop', index })];
  }
}

function isWholeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function event(json: JsonObject & { readonly type: string }): Buffer {
  return dataEvent(json, json.type);
}
