import { isObject, type JsonObject } from '@morgan/foundation';
import { ToolNames } from './tool-names.ts';

/** How a request says that it does not want to see what was thought. */
export const OMITTED = 'omitted';

/** What of a request to `/v1/messages` is needed to translate its answer. */
export interface AskedMessage {
  /** What it was asked of, for hosts that do not say who they are. */
  readonly model: string;
  readonly names: ToolNames;
  /** What the caller wants it to stop at: hosts have sequences of their own besides. */
  readonly stops: ReadonlySet<unknown>;
  /** How many tokens it may have. */
  readonly length: number;
  /** Whether its caller wants to see what was thought. */
  readonly showsThoughts: boolean;
  /** About how many tokens its prompt has: a stream begins with that, and its host counts at its end. */
  readonly promptTokens: number;
}

/** Takes from a request what its answer needs, with what we count of it (`prompt_tokens`); everything is empty where there is no request. */
export function askedMessage({
  model,
  tools,
  stop_sequences: stops,
  max_tokens: length,
  thinking,
  prompt_tokens: promptTokens,
}: JsonObject = {}): AskedMessage {
  return {
    model: typeof model === 'string' ? model : '',
    names: new ToolNames(tools),
    stops: new Set(Array.isArray(stops) ? stops : []),
    length: typeof length === 'number' ? length : Infinity,
    showsThoughts: !isObject(thinking) || thinking['display'] !== OMITTED,
    promptTokens: typeof promptTokens === 'number' ? promptTokens : 0,
  };
}
