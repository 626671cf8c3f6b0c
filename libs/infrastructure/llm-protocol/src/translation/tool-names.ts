import { createHash } from 'node:crypto';
import { isObject } from '@morgan/foundation';

/** OpenAI takes no longer name. Anthropic takes 128 characters, and clients put those of servers and plugins in front. */
const LONGEST_NAME = 64;
const HASH_LENGTH = 8;

/** The name of a tool as chat completions take it. */
export function chatToolName(name: unknown): unknown {
  return shortened(name, LONGEST_NAME);
}

/** A text that is longer is cut and ends in a hash, the same each time. */
export function shortened(text: unknown, longest: number): unknown {
  if (typeof text !== 'string' || text.length <= longest) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
  return `${text.slice(0, longest - HASH_LENGTH - 1)}_${hash}`;
}

/** The tools of a request by the names that its host knows them by. */
export class ToolNames {
  readonly #own = new Map<unknown, string>();

  /** @param tools those of a request to `/v1/messages`; none where it has none. */
  constructor(tools?: unknown) {
    const named: unknown[] = Array.isArray(tools) ? tools : [];
    for (const { name } of named.filter(isObject))
      if (typeof name === 'string' && name.length > LONGEST_NAME) this.#own.set(chatToolName(name), name);
  }

  /** What the caller calls the tool that its host calls so. */
  callers(name: unknown): unknown {
    return this.#own.get(name) ?? name;
  }
}
