import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { argumentsOf, callsOf } from './openai-shapes.ts';

/** What answers have as a rule is one; beyond these the host wants to be told in events of megabytes, or thousands. */
const MOST_CHOICES = 1_024;
const LONGEST_REPEATED = 4 * 1024 * 1024;

/** Fields of a choice about its end: what it stopped at, and why in the host's own words. */
const OF_END = /stop|finish/;

/** A whole chat completion as the events that would have told it, token counts last. None where it has no choices. */
export function chatEvents(completion: JsonObject): JsonObject[] | undefined {
  const { choices, usage, ...head } = completion;
  if (!Array.isArray(choices) || isTooMuch(choices, head)) return undefined;
  const chunk = (...told: JsonObject[]) => ({ ...head, object: 'chat.completion.chunk', choices: told });
  return [
    ...choices.filter(isObject).flatMap((choice, place) => {
      const { index = place, message, delta: chunked, finish_reason: reason, ...rest } = choice;
      const said = message ?? chunked;
      const delta = isObject(said) ? deltaOf(said) : {};
      const fields = Object.entries(rest);
      const ofEnd = Object.fromEntries(fields.filter(([name]) => OF_END.test(name)));
      const others = Object.fromEntries(fields.filter(([name]) => !OF_END.test(name)));
      return [
        chunk({ ...others, index, delta, finish_reason: null }),
        chunk({ ...ofEnd, index, delta: {}, finish_reason: reason ?? 'stop' }),
      ];
    }),
    ...(isObject(usage) ? [{ ...chunk(), usage }] : []),
  ];
}

/** What names an event, and the names of those that say nothing but that the host is there. */
const NAMES: ReadonlySet<string> = new Set(['type', 'object', 'event']);
const OF_LIFE = /^(ping|heartbeat|keep.?alive)$/i;

/** Whether an event has nothing in it, or says nothing but that the host is there. */
export function isSignOfLife(json: JsonObject): boolean {
  return Object.entries(json).every(([key, value]) => NAMES.has(key) && OF_LIFE.test(String(value)));
}

/** An event that has no list of choices, as clients look for one in each. None of any other. */
export function withChoices(json: JsonObject): JsonObject | undefined {
  return Array.isArray(json['choices']) ? undefined : { ...json, choices: [] };
}

/**
 * An event of a host that has the form of a whole answer in its streams, or an object in the place of a list or a text: clients look
 * for a `delta` in each choice, go through its calls, and put their arguments together. None where it has the usual form.
 * @param begins what the host has said first, as a piece: a whole answer that begins so is all of the pieces once more.
 */
export function chunkOf(json: JsonObject, begins?: string): JsonObject | undefined {
  const choices = Array.isArray(json['choices']) ? json['choices'].filter(isObject) : [];
  if (!choices.some((choice) => isWhole(choice) || hasOddCalls(choice))) return withChoices(json);
  const told = choices.map((choice) => {
    if (hasOddCalls(choice)) return { ...choice, delta: withCalls(choice['delta'] as JsonObject) };
    if (!isWhole(choice)) return choice;
    const { message, ...rest } = choice as { message: JsonObject };
    const isSaid = begins !== undefined && textOrNone(message['content'])?.startsWith(begins);
    return { ...rest, delta: isSaid ? {} : deltaOf(message) };
  });
  return { ...json, object: 'chat.completion.chunk', choices: told };
}

function isWhole({ message, delta }: JsonObject): boolean {
  return isObject(message) && !isObject(delta);
}

function hasOddCalls({ delta }: JsonObject): boolean {
  return isObject(delta) && (isObject(delta['tool_calls']) || callsOf(delta).some(hasObject));
}

function hasObject({ function: called }: JsonObject): boolean {
  return isObject(called) && isObject(called['arguments']);
}

function withCalls(delta: JsonObject): JsonObject {
  return { ...delta, tool_calls: callsOf(delta).map(withText) };
}

function withText(call: JsonObject): JsonObject {
  if (!hasObject(call)) return call;
  const called = call['function'] as JsonObject;
  return { ...call, function: { ...called, arguments: argumentsOf(called) } };
}

/** Each event of a choice repeats what stands beside the choices. */
function isTooMuch({ length }: readonly unknown[], head: JsonObject): boolean {
  return length > MOST_CHOICES || length * JSON.stringify(head).length > LONGEST_REPEATED;
}

/** In a stream each call of a tool has its place. */
function deltaOf(message: JsonObject): JsonObject {
  const calls = callsOf(message);
  if (calls.length === 0) return message;
  return { ...message, tool_calls: calls.map((call, index) => ({ index, ...withText(call) })) };
}

/** The events that would have told a text completion, in the shape of its own. */
export function completionEvents(completion: JsonObject): JsonObject[] | undefined {
  const { choices, usage, ...head } = completion;
  if (!Array.isArray(choices)) return undefined;
  const told = choices
    .filter(isObject)
    .map((choice, index) => ({ index, ...choice, finish_reason: choice['finish_reason'] ?? 'stop' }));
  return [{ ...head, choices: told }, ...(isObject(usage) ? [{ ...head, choices: [], usage }] : [])];
}
