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
import { signedId } from './thought-signature.ts';
import { ToolCall, type ToolCallDelta } from './tool-call.ts';
import { ToolNames } from './tool-names.ts';

/** Calls of tools behind each other: those behind the first are held until it is over. */
const MOST_WAITING = 1_000;
/** Characters of the arguments of those that are held. */
const LONGEST_WAITING = 8 * 1024 * 1024;

interface OpenBlock {
  readonly type: 'thinking' | 'text' | 'tool_use';
  readonly index: number;
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
  /** Of the tools called last: the first of them has the open block, and the others wait, as their pieces may alternate. */
  #calls: ToolCall[] = [];
  /** The last of them at each place. */
  readonly #lastAt = new Map<unknown, ToolCall>();
  /** Bytes of the pieces since, nearly all of calls that wait. */
  #waitingLength = 0;
  /** The last event with counts. */
  #counted: JsonObject = {};

  /** @param names of the tools that may be called. */
  constructor(private readonly names = new ToolNames()) {}

  /** @throws StreamFault `host_error` when the host goes back to a tool call that something else has followed. */
  take(json: JsonObject): Buffer[] {
    if (completionUsage(json)) this.#counted = json;
    const choice: unknown = Array.isArray(json['choices']) ? json['choices'][0] : undefined;
    // Azure begins with what its filter found, under no id and of no model.
    if (!isObject(choice)) return [];
    const events = this.#hasStarted ? [] : [this.#start(json)];
    const said = choice['delta'] ?? choice['message'];
    if (isObject(said)) events.push(...this.#delta(said));
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
      ...this.#endBlock(),
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
      ...calls.flatMap((call) => this.#callDelta(call)),
    ];
  }

  #piece(type: 'thinking' | 'text', delta: JsonObject): Buffer[] {
    const empty = type === 'text' ? { type, text: '' } : { type, thinking: '', signature: '' };
    const opening = this.#block?.type === type ? [] : [...this.#endBlock(), this.#open(type, empty)];
    return [...opening, this.#change(delta)];
  }

  #callDelta(said: JsonObject): Buffer[] {
    const { index: place = 0, id, function: called } = said;
    const fields = isObject(called) ? called : {};
    const name = textOrNone(fields['name']);
    const delta = { id: textOrNone(id), name, piece: argumentsOf(fields) ?? '' };
    const last = this.#lastAt.get(place);
    if (last && !last.isFollowedBy(delta)) return this.#goOn(last, delta);
    if (!last && delta.id === undefined && name === undefined)
      throw new StreamFault('host_error', 'The host went on with a tool call that it had left.');
    const before = this.#calls.length === 0 ? this.#endBlock() : [];
    const call = new ToolCall(place, signedId(delta.id ?? newCallId(), said), delta.id);
    this.#calls.push(call);
    this.#lastAt.set(place, call);
    if (this.#calls.length > MOST_WAITING) throw tooManyCalls();
    this.#hasTools = true;
    return [...before, ...this.#goOn(call, { ...delta, name: name ?? last?.name })];
  }

  /** Nothing is told of a call without its name, nor of one behind the first. */
  #goOn(call: ToolCall, delta: Omit<ToolCallDelta, 'id'>): Buffer[] {
    call.take(delta);
    if (call.isTold) return this.#argumentsDelta(delta.piece);
    return call !== this.#calls[0] || call.name === undefined ? this.#wait(delta) : this.#tell(call);
  }

  #wait({ piece }: Pick<ToolCallDelta, 'piece'>): Buffer[] {
    this.#waitingLength += piece.length;
    if (this.#waitingLength > LONGEST_WAITING) throw tooManyCalls();
    return [];
  }

  /** As far as it has come. */
  #tell(call: ToolCall): Buffer[] {
    call.isTold = true;
    const block = { type: 'tool_use', id: call.id, name: this.names.callers(call.name), input: {} };
    return [this.#open('tool_use', block), ...this.#argumentsDelta(call.arguments)];
  }

  #argumentsDelta(piece: string): Buffer[] {
    return piece === '' ? [] : [this.#change({ type: 'input_json_delta', partial_json: piece })];
  }

  #open(type: OpenBlock['type'], empty: JsonObject): Buffer {
    this.#block = { type, index: this.#blocks };
    this.#blocks += 1;
    return event({ type: 'content_block_start', index: this.#block.index, content_block: empty });
  }

  #change(delta: JsonObject): Buffer {
    return event({ type: 'content_block_delta', index: this.#block?.index, delta });
  }

  /** The open one, and those of the calls that waited for it. */
  #endBlock(): Buffer[] {
    const waiting = this.#calls.splice(0).filter(({ isTold }) => !isTold);
    this.#lastAt.clear();
    this.#waitingLength = 0;
    return [...this.#close(), ...waiting.flatMap((call) => [...this.#tell(call), ...this.#close()])];
  }

  #close(): Buffer[] {
    if (!this.#block) return [];
    const { index } = this.#block;
    this.#block = undefined;
    return [event({ type: 'content_block_stop', index })];
  }
}

function tooManyCalls(): StreamFault {
  return new StreamFault(
    'host_error',
    'The host called more tools at once than can be told one after the other.',
  );
}

function event(json: JsonObject & { readonly type: string }): Buffer {
  return dataEvent(json, json.type);
}
