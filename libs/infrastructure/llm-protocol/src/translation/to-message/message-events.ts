import { AppError, isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { StreamFault } from '../../sse/stream-fault.ts';
import type { StreamTranslator } from '../../dialects/dialect.ts';
import { argumentsOf, completionUsage, dataEvent, finishReasonOf } from '../../dialects/openai-shapes.ts';
import { type AskedMessage, askedMessage } from '../asked-message.ts';
import { CallIds, cannotShow, messageId, messageUsage } from './message-response.ts';
import { callsIn, saidIn, shownIn } from './said.ts';
import { Sources } from './sources.ts';
import { endOf, isCut, stopOf } from './stop.ts';
import { ThoughtProofs } from '../thought-proofs.ts';
import { ToolCall, type ToolCallDelta } from './tool-call.ts';
import { inputIn } from './tool-input.ts';

/** Calls of tools behind each other: those behind the first are held until it is over. */
const MOST_WAITING = 1_000;
/** Characters of what is held, and of the ids and names of all calls. */
const LONGEST_WAITING = 8 * 1024 * 1024;
/** What each call, and each piece of a text that is held, costs besides, in characters. */
const OWN_COST = 100;

/** A piece of what is said beside the calls. */
interface Piece {
  /** A signature belongs to the thought in front of it, or to one without words. */
  readonly type: 'thinking' | 'text' | 'signature';
  readonly said: string;
}

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
  #hasSound = false;
  readonly #sources = new Sources();
  readonly #proofs = new ThoughtProofs();
  #finish: JsonObject = {};
  /** Of the tools called last: the first of them has the open block, and the others wait, as their pieces may alternate. */
  #calls: ToolCall[] = [];
  /** The last of them at each place. */
  readonly #lastAt = new Map<unknown, ToolCall>();
  readonly #ids = new CallIds();
  /** What was said while a call was not over yet: some hosts have white space in the middle of one. */
  #held: Piece[] = [];
  /** Characters of the pieces since, nearly all of calls that wait. */
  #waitingLength = 0;
  /** What is kept of all calls of the answer, as each needs an id of its own. */
  #callsLength = 0;
  /** The last event with counts. */
  #counted: JsonObject = {};

  /** @param asked what it answers. */
  constructor(private readonly asked: AskedMessage = askedMessage()) {}

  /**
   * @throws StreamFault `host_error` when the host goes back to a tool call that something else has followed, or leaves one
   * in the middle.
   */
  take(json: JsonObject): Buffer[] {
    if (completionUsage(json)) this.#counted = json;
    const { choices } = json;
    // Azure begins with what its filter found, under no id and of no model.
    if (!Array.isArray(choices) || !choices.some(isObject)) return [];
    const start = this.#hasStarted ? [] : [this.#start(json)];
    return [...start, ...choices.filter(isObject).flatMap((choice) => this.#choice(choice, json))];
  }

  /** What a whole response ends with. @throws StreamFault `host_error` when a tool call in it has no end, and it no reason for that. */
  end(): Buffer[] {
    const usage = messageUsage(this.#counted, this.asked);
    const [choice, hasTools, hasRefusal] = [this.#finish, this.#hasTools, this.#hasRefusal];
    const isShort = isCut(choice, usage.output_tokens, this.asked);
    const isHalf = isShort && this.#calls.some(({ isWhole }) => !isWhole);
    if (this.#hasSound && this.#blocks === 0)
      throw new StreamFault('host_error', cannotShow('audio').message);
    const delta = stopOf({ choice, hasTools, hasRefusal, isHalf }, this.asked);
    return [
      ...(this.#hasStarted ? [] : [this.#start({})]),
      ...this.#endBlock(isShort),
      event({ type: 'message_delta', delta, usage }),
      event({ type: 'message_stop' }),
    ];
  }

  /**
   * The host counts at its end only, and most clients take the counts of `message_delta` over. Those that look here, as Claude
   * Code does to tell how full its context is, have an estimate of the prompt.
   */
  #start(json: JsonObject): Buffer {
    const { id } = json;
    this.#hasStarted = true;
    const model = textOrNone(json['model']) ?? this.asked.model;
    const head = { id: messageId(id), type: 'message', role: 'assistant', model };
    const message = {
      ...head,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: messageUsage(json, this.asked),
    };
    return event({ type: 'message_start', message });
  }

  /** Nobody has asked for a second one: it is a part of the same answer. */
  #choice(choice: JsonObject, json: JsonObject): Buffer[] {
    const said = choice['delta'] ?? choice['message'];
    if (finishReasonOf(choice)) this.#finish = endOf([this.#finish, choice]);
    if (!isObject(said)) return [];
    const shown = shownIn(said);
    if (shown !== undefined) throw new StreamFault('host_error', cannotShow(shown).message);
    if (isObject(said['audio'])) this.#hasSound = true;
    this.#sources.note(said, json);
    return this.#delta(said, choice['index']);
  }

  #delta(delta: JsonObject, of: unknown): Buffer[] {
    const { thinking, text } = saidIn(delta);
    if (textOrNone(delta['refusal'])) this.#hasRefusal = true;
    const isShown = !this.#proofs.note(delta) && this.asked.showsThoughts;
    return [
      ...this.#say('thinking', isShown ? thinking : undefined),
      ...this.#say('signature', this.#proofs.take(this.asked.model)),
      ...this.#say('text', text),
      ...callsIn(delta).flatMap((call) => this.#callDelta(call, of)),
    ];
  }

  /** Behind the calls before it, as soon as all of these are over. */
  #say(type: Piece['type'], said: string | undefined): Buffer[] {
    if (said === undefined) return [];
    if (this.#calls.length === 0) return this.#piece({ type, said });
    this.#held.push({ type, said });
    this.#wait(OWN_COST + said.length);
    return this.#calls.every(({ isOver }) => isOver) ? this.#endCalls() : [];
  }

  #piece({ type, said }: Piece): Buffer[] {
    const kind = type === 'text' ? type : 'thinking';
    const empty = kind === 'text' ? { type: kind, text: '' } : { type: kind, thinking: '', signature: '' };
    const opening = this.#block?.type === kind ? [] : [...this.#close(), this.#open(kind, empty)];
    const change = this.#change({ type: `${type}_delta`, [type]: said });
    return [...opening, change, ...(type === 'signature' ? this.#close() : [])];
  }

  /** @param of the choice, each of which counts its calls. */
  #callDelta(said: JsonObject, of: unknown = 0): Buffer[] {
    const { index, id, function: called } = said;
    const fields = isObject(called) ? called : {};
    const name = textOrNone(fields['name']);
    const delta = { id: textOrNone(id), name, piece: argumentsOf(fields) ?? '' };
    const place = this.#placeOf(index, delta, of);
    const known = this.#callOf(place, delta);
    if (known) return this.#goOn(known, delta);
    const last = this.#lastAt.get(place);
    if (!last && delta.id === undefined && name === undefined) {
      if (delta.piece.trim() === '') return [];
      throw new StreamFault('host_error', 'The host went on with a tool call that it had left.');
    }
    this.#callsLength += OWN_COST + (delta.id?.length ?? 0) + (name?.length ?? 0);
    if (this.#callsLength > LONGEST_WAITING) throw tooManyCalls();
    const before = this.#calls.length === 0 ? this.#endBlock() : [];
    const call = new ToolCall(place, this.#ids.of(delta.id, said), delta.id);
    this.#calls.push(call);
    this.#lastAt.set(place, call);
    if (this.#calls.length > MOST_WAITING) throw tooManyCalls();
    this.#hasTools = true;
    return [...before, ...this.#goOn(call, { ...delta, name: name ?? last?.name })];
  }

  /** Some hosts have it with the first delta of a call only, or not at all: what has no name goes on with the latest. */
  #placeOf(index: unknown, { id, name }: ToolCallDelta, of: unknown): string {
    const latest = this.#calls.at(-1)?.place;
    const isNameless = (index ?? id ?? name ?? undefined) === undefined;
    if (isNameless && latest?.startsWith(`${String(of)} `)) return latest;
    const place: unknown = index ?? 0;
    return `${String(of)} ${String(place)}`;
  }

  /** The call that a delta goes on with. Where its place is that of another one, its id tells. */
  #callOf(place: unknown, delta: ToolCallDelta): ToolCall | undefined {
    const { id, name } = delta;
    const last = this.#lastAt.get(place);
    if (id !== undefined && name === undefined && id !== last?.said) {
      const named = this.#calls.find(({ said }) => said === id);
      if (named) return named;
    }
    return last?.isFollowedBy(delta) ? undefined : last;
  }

  /** Nothing is told of a call without its name, of arguments that are no object as they begin, nor of a call behind the first. */
  #goOn(call: ToolCall, delta: Omit<ToolCallDelta, 'id'>): Buffer[] {
    if (call.take(delta)) throw brokenCall();
    if (call.isTold) return this.#argumentsDelta(call.told());
    const isFirst = call === this.#calls[0];
    if (isFirst && call.name !== undefined && call.isObject) return this.#tell(call);
    this.#wait(delta.piece.length);
    return [];
  }

  #wait(length: number): void {
    this.#waitingLength += length;
    if (this.#waitingLength > LONGEST_WAITING) throw tooManyCalls();
  }

  /** As far as it has come. */
  #tell(call: ToolCall, text = call.told()): Buffer[] {
    const block = { type: 'tool_use', id: call.id, name: this.asked.names.callers(call.name), input: {} };
    return [this.#open('tool_use', block), ...this.#argumentsDelta(text)];
  }

  /** @param isShort whether the answer broke off at its longest: half a call is none. */
  #tellWhole(call: ToolCall, isShort: boolean): Buffer[] {
    const text = call.name === undefined ? undefined : wholeArguments(call);
    if (text !== undefined) return [...this.#tell(call, text), ...this.#close()];
    if (isShort) return [];
    throw brokenCall();
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

  /** The open one, and those that waited for it. @param isShort see {@link #endCalls}. */
  #endBlock(isShort = false): Buffer[] {
    return [...this.#endCalls(isShort), ...this.#close()];
  }

  /**
   * The blocks of all calls, and what was said in the middle of them, whose last block stays open.
   * @param isShort whether this is the end of an answer that broke off at its longest.
   */
  #endCalls(isShort = false): Buffer[] {
    if (this.#calls.length === 0) return [];
    const calls = this.#calls.splice(0);
    this.#lastAt.clear();
    this.#waitingLength = 0;
    if (!isShort && calls.some(({ isTold, isWhole }) => isTold && !isWhole)) throw brokenCall();
    const [told, waiting] = [calls.filter(({ isTold }) => isTold), calls.filter(({ isTold }) => !isTold)];
    return [
      ...told.flatMap((call) => this.#argumentsDelta(call.rest())),
      ...this.#close(),
      ...waiting.flatMap((call) => this.#tellWhole(call, isShort)),
      ...this.#held.splice(0).flatMap((piece) => this.#piece(piece)),
    ];
  }

  #close(): Buffer[] {
    if (!this.#block) return [];
    const { index, type } = this.#block;
    const cited = type === 'text' ? this.#sources.take() : [];
    const citations = cited.map((citation) => this.#change({ type: 'citations_delta', citation }));
    this.#block = undefined;
    return [...citations, event({ type: 'content_block_stop', index })];
  }
}

/** What is no object yet may be one in another form. */
function wholeArguments(call: ToolCall): string | undefined {
  if (call.isObject) return call.isWhole ? call.arguments : undefined;
  try {
    const input = inputIn(call.arguments);
    return Object.keys(input).length > 0 ? JSON.stringify(input) : '';
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function brokenCall(): StreamFault {
  return new StreamFault(
    'host_error',
    'The host called a tool with arguments that are not JSON, or without a name.',
  );
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
