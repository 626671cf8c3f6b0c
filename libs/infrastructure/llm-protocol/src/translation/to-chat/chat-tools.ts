import { isObject, type JsonObject } from '@morgan/foundation';
import { isStrictSchema } from './strict-schema.ts';
import { chatToolName } from '../tool-names.ts';
import {
  cannotTranslate,
  fieldsAt,
  flagAt,
  invalidField,
  isGiven,
  refuseOthers,
  textAt,
} from '../translation-refused.ts';

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
  'allowed_callers',
  'input_examples',
]);

/** `tools` and `tool_choice` as chat completions have them. Tools that Anthropic runs itself have no counterpart. */
export function chatTools(tools: unknown, choice: unknown): JsonObject {
  if (isGiven(tools) && !Array.isArray(tools)) throw invalidField('tools', 'a list');
  const has = Array.isArray(tools) && tools.length > 0;
  const chosen = isGiven(choice) ? chatToolChoice(fieldsAt(choice, 'tool_choice')) : {};
  // Hosts refuse a choice where there is none.
  if (!has) return chosen['tool_choice'] === 'auto' || chosen['tool_choice'] === 'none' ? {} : chosen;
  return { tools: tools.map(chatTool), ...chosen };
}

function chatTool(tool: unknown, index: number): JsonObject {
  const path = `tools[${index}]`;
  if (!isObject(tool)) throw invalidField(path, 'an object');
  const { type, name, input_schema: schema, strict, allowed_callers: callers } = tool;
  if (isGiven(type) && type !== 'custom')
    throw cannotTranslate(`${path}.type`, `The type ${JSON.stringify(type)}`);
  refuseOthers(tool, TOOL_FIELDS, `${path}.`);
  // Code that Anthropic runs may call some; the model itself may call all.
  if (isGiven(callers) && !isDirect(callers)) throw cannotTranslate(`${path}.allowed_callers`);
  return {
    type: 'function',
    function: {
      name: chatToolName(textAt(name, `${path}.name`)),
      ...described(tool, path),
      ...(isGiven(schema) && { parameters: withProperties(schema) }),
      ...(isGiven(strict) && { strict: strict === true ? isStrictSchema(schema) : strict }),
    },
  };
}

/** Examples of its input have no field of their own, and not every host takes them in a schema. */
function described({ description, input_examples: examples }: JsonObject, path: string): JsonObject {
  if (isGiven(examples) && !Array.isArray(examples)) throw invalidField(`${path}.input_examples`, 'a list');
  if (!Array.isArray(examples) || examples.length === 0) return isGiven(description) ? { description } : {};
  const text = isGiven(description) ? `${textAt(description, `${path}.description`)}\n\n` : '';
  const lines = examples.map((example: unknown) => JSON.stringify(example));
  return { description: `${text}Examples of its input:\n${lines.join('\n')}` };
}

function isDirect(callers: unknown): boolean {
  return Array.isArray(callers) && callers.every((caller) => caller === 'direct');
}

/** OpenAI refuses an object of which nothing is said, as many servers of tools declare it for those without arguments. */
function withProperties(schema: unknown): unknown {
  const isBare = isObject(schema) && schema['type'] === 'object' && !('properties' in schema);
  return isBare ? { ...schema, properties: {} } : schema;
}

function chatToolChoice(choice: JsonObject): JsonObject {
  refuseOthers(choice, new Set(['type', 'name', 'disable_parallel_tool_use']), 'tool_choice.');
  const isOne = flagAt(choice['disable_parallel_tool_use'], 'tool_choice.disable_parallel_tool_use');
  return { tool_choice: choiceOf(choice), ...(isOne && { parallel_tool_calls: false }) };
}

function choiceOf({ type, name }: JsonObject): unknown {
  if (type === 'auto' || type === 'none') return type;
  if (type === 'any') return 'required';
  if (type === 'tool')
    return { type: 'function', function: { name: chatToolName(textAt(name, 'tool_choice.name')) } };
  throw cannotTranslate('tool_choice.type', 'This value');
}
