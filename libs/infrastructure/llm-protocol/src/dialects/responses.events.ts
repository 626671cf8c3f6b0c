import { isObject, type JsonObject } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import type { ResponseHead } from './dialect.ts';

/** The event that a response ends with that has failed. */
export const FAILED = 'response.failed';

/** How a response ends that is over: one that is made in the background is not, and has no events yet. */
const END_OF: ReadonlyMap<unknown, string> = new Map([
  ['completed', 'response.completed'],
  ['incomplete', 'response.incomplete'],
]);

/** A whole response as the events that would have told it. None where it is not over. */
export function responsesEvents(response: JsonObject): JsonObject[] | undefined {
  const { output, status } = response;
  const end = END_OF.get(status);
  if (end === undefined || !Array.isArray(output)) return undefined;
  const events = [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
    ...output.filter(isObject).flatMap(eventsOfItem),
    { type: end, response },
  ];
  return events.map((event, place) => ({ ...event, sequence_number: place }));
}

/** That a response has failed, as it was told, with every field that typed clients require. */
export function failedEvent(
  { code, message }: ReportedError,
  sequence: number,
  { id = '', model = '', response: told }: ResponseHead,
): JsonObject {
  const response = {
    id,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output: [],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    usage: null,
    ...told,
    status: 'failed',
    error: { code: code ?? 'server_error', message },
  };
  return { type: FAILED, response, sequence_number: sequence };
}

function eventsOfItem(item: JsonObject, place: number): JsonObject[] {
  const at = { item_id: item['id'], output_index: place };
  const isMessage = item['type'] === 'message' && Array.isArray(item['content']);
  const parts = isMessage ? (item['content'] as unknown[]).filter(isObject) : [];
  const begun = isMessage ? { ...item, status: 'in_progress', content: [] } : item;
  return [
    { type: 'response.output_item.added', output_index: place, item: begun },
    ...parts.flatMap((part, index) => eventsOfPart(part, { ...at, content_index: index })),
    ...eventsOfCall(item, at),
    { type: 'response.output_item.done', output_index: place, item },
  ];
}

function eventsOfPart(part: JsonObject, at: JsonObject): JsonObject[] {
  const { type, text } = part;
  const isText = type === 'output_text' && typeof text === 'string';
  const told = [
    { type: 'response.output_text.delta', ...at, delta: text, logprobs: [] },
    { type: 'response.output_text.done', ...at, text, logprobs: [] },
  ];
  return [
    { type: 'response.content_part.added', ...at, part: isText ? { ...part, text: '' } : part },
    ...(isText ? told : []),
    { type: 'response.content_part.done', ...at, part },
  ];
}

function eventsOfCall({ type, name, arguments: text }: JsonObject, at: JsonObject): JsonObject[] {
  if (type !== 'function_call') return [];
  return [
    { type: 'response.function_call_arguments.delta', ...at, delta: text },
    { type: 'response.function_call_arguments.done', ...at, name, arguments: text },
  ];
}
