import { isObject, type JsonObject } from '../reported-error.ts';
import { chatToolName } from './tool-names.ts';
import { cannotTranslate, invalidField, refuseOthers } from './translation-refused.ts';

const TOOL_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
  // When its pieces come is for the host to say.
  'eager_input_streaming',
  // Hosts know all tools from the beginning; which one a client has found is said in the result of its search.
  'defer_loading',
]);

/** `tools` and `tool_choice` as chat completions have them. Tools that Anthropic runs itself have no counterpart. */
export function chatTools(tools: unknown, choice: unknown): JsonObject {
  if (tools !== undefined && tools !== null && !Array.isArray(tools)) throw invalidField('tools', 'a list');
  const has = Array.isArray(tools) && tools.length > 0;
  const chosen = isObject(choice) ? chatToolChoice(choice) : {};
  // Hosts refuse a choice where there is none.
  if (!has) return chosen['tool_choice'] === 'auto' || chosen['tool_choice'] === 'none' ? {} : chosen;
  return { tools: tools.map(chatTool), ...chosen };
}

function chatTool(tool: unknown, index: number): JsonObject {
  const path = `tools[${index}]`;
  if (!isObject(tool)) throw invalidField(path, 'an object');
  const { type, name, description, input_schema: parameters, strict } = tool;
  if (type !== undefined && type !== 'custom')
    throw cannotTranslate(`${path}.type`, `The type ${JSON.stringify(type)}`);
  refuseOthers(tool, TOOL_FIELDS, `${path}.`);
  return {
    type: 'function',
    function: {
      name: chatToolName(name),
      ...(description !== undefined && { description }),
      ...(parameters !== undefined && { parameters }),
      ...(strict !== undefined && { strict }),
    },
  };
}

function chatToolChoice(choice: JsonObject): JsonObject {
  refuseOthers(choice, new Set(['type', 'name', 'disable_parallel_tool_use']), 'tool_choice.');
  const parallel = choice['disable_parallel_tool_use'] === true && { parallel_tool_calls: false };
  return { tool_choice: choiceOf(choice), ...parallel };
}

function choiceOf({ type, name }: JsonObject): unknown {
  if (type === 'auto' || type === 'none') return type;
  if (type === 'any') return 'required';
  if (type === 'tool') return { type: 'function', function: { name: chatToolName(name) } };
  throw cannotTranslate('tool_choice.type', 'This value');
}
