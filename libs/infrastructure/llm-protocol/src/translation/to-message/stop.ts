import { type JsonObject, textOrNone } from '@morgan/foundation';
import type { AskedMessage } from '../asked-message.ts';

const STOP_REASONS: ReadonlyMap<string, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['max_tokens', 'max_tokens'],
  ['max_output_tokens', 'max_tokens'],
  ['model_length', 'max_tokens'],
  ['token_limit', 'max_tokens'],
  // Cut, though for other reasons than their length: nothing else says to clients that there would be more.
  ['time_limit', 'max_tokens'],
  ['repetition', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
  ['content_filtered', 'refusal'],
  ['guardrail_intervened', 'refusal'],
  ['refusal', 'refusal'],
  // Of Google.
  ['safety', 'refusal'],
  ['image_safety', 'refusal'],
  ['recitation', 'refusal'],
  ['blocklist', 'refusal'],
  ['prohibited_content', 'refusal'],
  ['spii', 'refusal'],
  // Of Zhipu.
  ['sensitive', 'refusal'],
  ['model_context_window_exceeded', 'model_context_window_exceeded'],
]);

/** Reasons of an answer that is not whole. */
const CUT: ReadonlySet<string> = new Set(['max_tokens', 'model_context_window_exceeded']);

/** Reasons of one that is. */
const WHOLE: ReadonlySet<string> = new Set(['end_turn', 'tool_use']);

/** Why a message ended, as Anthropic says it. */
interface Stop {
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
}

/** What a message ended with. */
interface Ending {
  /** The host's choice, with its reason. */
  readonly choice: JsonObject;
  /**
   * Whether it calls tools: clients run them for this reason only, and wait for some where it is said, while hosts say
   * `stop` with tools, `tool_calls` without, or nothing.
   */
  readonly hasTools: boolean;
  readonly hasRefusal: boolean;
  /** Whether it broke off within a call. */
  readonly isHalf: boolean;
}

export function stopOf({ choice, hasTools, hasRefusal, isHalf }: Ending, { stops }: AskedMessage): Stop {
  if (hasRefusal) return { stop_reason: 'refusal', stop_sequence: null };
  const reason = reasonIn(choice);
  if (isHalf && !CUT.has(reason)) return { stop_reason: 'max_tokens', stop_sequence: null };
  const isWhole = WHOLE.has(reason);
  if (isWhole && hasTools) return { stop_reason: 'tool_use', stop_sequence: null };
  const sequence = isWhole ? sequenceIn(choice, stops) : undefined;
  if (sequence !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: sequence };
  return { stop_reason: isWhole ? 'end_turn' : reason, stop_sequence: null };
}

/**
 * Whether it broke off at its longest, if a call in it has no end. Some hosts say `tool_calls` all the same: then its tokens
 * are as many as were allowed.
 */
export function isCut(choice: JsonObject, output: number, { length }: AskedMessage): boolean {
  return CUT.has(reasonIn(choice)) || output >= length;
}

/** Of the choices that tell one answer, the one whose end is that of the answer: the first that is cut or refused, if any is. */
export function endOf(choices: readonly JsonObject[]): JsonObject {
  const isWhole = (choice: JsonObject) => WHOLE.has(reasonIn(choice));
  return choices.find((choice) => !isWhole(choice)) ?? choices.at(-1) ?? {};
}

/** Some write it in capitals, and some what was found behind it, as in `content_filter: SAFETY`. */
function reasonIn({ finish_reason: finish }: JsonObject): string {
  const [word = ''] = (textOrNone(finish) ?? '').toLowerCase().split(':');
  return STOP_REASONS.get(word) ?? 'end_turn';
}

/** vLLM and SGLang name what stopped them, a token by its number; text-generation-inference says that it was one. */
function sequenceIn(
  { finish_reason: finish, stop_reason: ofVllm, matched_stop: ofSglang }: JsonObject,
  stops: ReadonlySet<unknown>,
): string | undefined {
  const only = finish === 'stop_sequence' && stops.size === 1 ? [...stops][0] : undefined;
  return textOrNone([ofVllm, ofSglang, only].find((each) => stops.has(each)));
}
