import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '@morgan/foundation';
import { OMITTED } from '../asked-message.ts';
import { adapted, type ChatHabits, USUAL_HABITS } from './chat-habits.ts';
import { chatMessages, systemMessage } from './chat-messages.ts';
import { chatTools } from './chat-tools.ts';
import { beginsTurn, turnsWithThoughts, withThoughtsOf } from './kept-thoughts.ts';
import { checkThread } from './message-thread.ts';
import { isStrictSchema } from './strict-schema.ts';
import {
  cannotTranslate,
  fieldsAt,
  invalidField,
  isGiven,
  refuseOthers,
  textAt,
} from '../translation-refused.ts';

/** Fields that mean the same in both. `top_k` is no field of OpenAI's, but of the open engines. */
const SAME = ['model', 'temperature', 'top_p', 'top_k'] as const;

const KNOWN: ReadonlySet<string> = new Set([
  ...SAME,
  'max_tokens',
  'system',
  'messages',
  'stop_sequences',
  'stream',
  'metadata',
  'service_tier',
  'thinking',
  'output_config',
  // As `output_config.format` was called first.
  'output_format',
  'tools',
  'tool_choice',
  'context_management',
  'thread',
  'cache_control',
  // Why a prompt was not in its cache; whom Anthropic asks where a model refuses, which here routes say, and at what price.
  'diagnostics',
  'fallbacks',
  'fallback_credit_token',
  'speed',
]);

/** From this many tokens of thinking on, the next effort is asked for. */
const EFFORTS = [
  [0, 'low'],
  [4_096, 'medium'],
  [16_384, 'high'],
] as const;

/**
 * A request to `/v1/messages` as one to `/v1/chat/completions`. Cache hints (`cache_control`, `diagnostics`) and `fallbacks`
 * change no response and end here; everything else is carried over or refused.
 * @param habits what is known of the model that is asked.
 * @throws AppError `invalid_value` with the path of what chat completions have nothing for; `invalid_type`; `thread_not_found`.
 */
export function toChatRequest(request: JsonObject, habits: ChatHabits = USUAL_HABITS): JsonObject {
  refuseOthers(request, KNOWN, '');
  const { messages, system, stop_sequences: stop, stream } = request;
  if (!Array.isArray(messages)) throw invalidField('messages', 'a list of messages');
  if (isGiven(stop) && !Array.isArray(stop)) throw invalidField('stop_sequences', 'a list of texts');
  if (isGiven(request['speed']) && request['speed'] !== 'standard')
    throw cannotTranslate('speed', 'This value');
  checkThread(request['thread']);
  if (messages.length === 0) throw invalidField('messages', 'no empty list');
  const kept = withThoughtsOf(messages, turnsWithThoughts(request['context_management']));
  const chat = {
    ...Object.fromEntries(SAME.flatMap((name) => (isGiven(request[name]) ? [[name, request[name]]] : []))),
    ...length(request['max_tokens'], habits),
    messages: [...systemMessage(system), ...chatMessages(kept, request['model'])],
    // An empty list is refused where there may be one.
    ...(Array.isArray(stop) && stop.length > 0 && { stop }),
    ...(stream === true && { stream: true }),
    ...user(request['metadata']),
    ...tier(request['service_tier']),
    ...effortOfBudget(request['thinking'], habits),
    ...outputConfig(request['output_config'], request['output_format']),
    ...effortOfTurn(messages),
    ...chatTools(request['tools'], request['tool_choice']),
  };
  return adapted(chat, habits);
}

function length(given: unknown, { lengthField, longest }: ChatHabits): JsonObject {
  if (!isGiven(given)) return {};
  return { [lengthField]: typeof given === 'number' ? Math.min(given, longest) : given };
}

/** OpenAI takes no longer one; Anthropic takes 256 characters, and Claude Code sends 150. */
const LONGEST_USER = 64;

function user(metadata: unknown): JsonObject {
  const fields = fieldsAt(metadata, 'metadata');
  refuseOthers(fields, new Set(['user_id']), 'metadata.');
  if (!isGiven(fields['user_id'])) return {};
  const id = textAt(fields['user_id'], 'metadata.user_id');
  return { user: id.length <= LONGEST_USER ? id : createHash('sha256').update(id).digest('hex') };
}

function tier(value: unknown): JsonObject {
  if (!isGiven(value)) return {};
  if (value === 'auto') return { service_tier: 'auto' };
  if (value === 'standard_only') return { service_tier: 'default' };
  throw cannotTranslate('service_tier', 'This value');
}

/** Hosts think when they think that they should. */
const LEFT_TO_HOST: ReadonlySet<unknown> = new Set(['disabled', 'adaptive', 'between_tools']);
/** Hosts show thoughts anyhow, as a whole or not; of the answer they are left out where nobody wants to see them. */
const DISPLAYS: ReadonlySet<unknown> = new Set(['summarized', 'updates', OMITTED]);

/** A budget in tokens has only a rough counterpart. Without one the host thinks as it does by default. */
function effortOfBudget(given: unknown, { budgets }: ChatHabits): JsonObject {
  if (!isGiven(given)) return {};
  const thinking = fieldsAt(given, 'thinking');
  // Which thoughts Anthropic takes back, nobody else asks.
  refuseOthers(thinking, new Set(['type', 'budget_tokens', 'block_binding', 'display']), 'thinking.');
  const { type, budget_tokens: budget, display } = thinking;
  if (isGiven(display) && !DISPLAYS.has(display)) throw cannotTranslate('thinking.display', 'This value');
  if (LEFT_TO_HOST.has(type)) return {};
  if (type !== 'enabled') throw cannotTranslate('thinking.type', 'This value');
  if (typeof budget !== 'number') throw invalidField('thinking.budget_tokens', 'a number');
  if (!budgets) return {};
  return { reasoning_effort: EFFORTS.findLast(([from]) => budget >= from)?.[1] ?? 'low' };
}

function outputConfig(given: unknown, older: unknown): JsonObject {
  const config = fieldsAt(given, 'output_config');
  refuseOthers(config, new Set(['effort', 'format']), 'output_config.');
  const { effort, format } = config;
  return {
    ...effortAt(effort, 'output_config.effort'),
    ...(isGiven(older) && { response_format: responseFormat(older, 'output_format') }),
    ...(isGiven(format) && { response_format: responseFormat(format, 'output_config.format') }),
  };
}

/** A message of the role `system` may say the effort of its turn; this answer is one to the last turn. */
function effortOfTurn(messages: readonly unknown[]): JsonObject {
  const efforts = messages.map((message, index) => {
    if (!isObject(message) || message['role'] !== 'system') return {};
    const path = `messages[${index}].output_config`;
    const config = fieldsAt(message['output_config'], path);
    refuseOthers(config, new Set(['effort']), `${path}.`);
    return effortAt(config['effort'], `${path}.effort`);
  });
  const ofTurn = efforts.slice(Math.max(0, messages.findLastIndex(beginsTurn)));
  return Object.assign({}, ...ofTurn) as JsonObject;
}

function effortAt(given: unknown, path: string): JsonObject {
  if (!isGiven(given)) return {};
  const effort = textAt(given, path);
  return { reasoning_effort: effort === 'max' ? 'high' : effort };
}

function responseFormat(given: unknown, path: string): JsonObject {
  const format = fieldsAt(given, path);
  refuseOthers(format, new Set(['type', 'schema']), `${path}.`);
  if (format['type'] !== 'json_schema') throw cannotTranslate(`${path}.type`, 'This value');
  return {
    type: 'json_schema',
    json_schema: { name: 'output', schema: format['schema'], strict: isStrictSchema(format['schema']) },
  };
}
