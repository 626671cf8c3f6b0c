import { isObject, type JsonObject } from '@morgan/foundation';

/** A whole message as the events that would have told it, but for `message_stop`. None where it has no content. */
export function messagesEvents(message: JsonObject): JsonObject[] | undefined {
  const { content, stop_reason: reason = null, stop_sequence: sequence = null, usage = {} } = message;
  if (!Array.isArray(content)) return undefined;
  const { stop_details: details, container } = message;
  const end = {
    stop_reason: reason,
    stop_sequence: sequence,
    ...(details !== undefined && { stop_details: details }),
    ...(container !== undefined && { container }),
  };
  const begun = { ...message, content: [], stop_reason: null, stop_sequence: null };
  return [
    { type: 'message_start', message: begun },
    ...content.filter(isObject).flatMap(eventsOfBlock),
    { type: 'message_delta', delta: end, usage },
  ];
}

function eventsOfBlock(block: JsonObject, index: number): JsonObject[] {
  const { empty, deltas } = partsOf(block);
  return [
    { type: 'content_block_start', index, content_block: empty },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

interface BlockParts {
  /** As it begins. */
  readonly empty: JsonObject;
  readonly deltas: readonly JsonObject[];
}

/** Blocks of other kinds, such as results of a search, come whole in a stream, too. */
function partsOf(block: JsonObject): BlockParts {
  const { type, text, thinking, signature, input = {} } = block;
  if (type === 'text') return { empty: { ...block, text: '' }, deltas: [{ type: 'text_delta', text }] };
  if (type === 'thinking') {
    const thought = { type: 'thinking_delta', thinking };
    const signed = signature ? [{ type: 'signature_delta', signature }] : [];
    return { empty: { ...block, thinking: '', signature: '' }, deltas: [thought, ...signed] };
  }
  if (!String(type).endsWith('tool_use')) return { empty: block, deltas: [] };
  const given = { type: 'input_json_delta', partial_json: JSON.stringify(input) };
  return { empty: { ...block, input: {} }, deltas: [given] };
}
