import { hash } from 'node:crypto';

/** Characters of each part that count: enough to tell conversations apart, and hashing them costs little. */
const MOST_CHARACTERS = 2_048;

/** What says which conversation a call belongs to, the surest first. An empty text counts as missing. */
export interface SessionTraits {
  /** The caller's session header. */
  readonly header?: string | undefined;
  /** OpenAI's `prompt_cache_key`. */
  readonly promptCacheKey?: string | undefined;
  /** OpenAI's `user`. */
  readonly user?: string | undefined;
  readonly model?: string | undefined;
  /** How the conversation begins: its system prompt and its first turn, which later turns leave as they are. */
  readonly start?: string | undefined;
}

/** What a session key is made of. */
export type SessionKeySource = 'header' | 'prompt_cache_key' | 'user' | 'conversation_start';

/** Where the session key of such a call comes from. */
export function sessionKeySource(traits: SessionTraits): SessionKeySource | undefined {
  if (traits.header) return 'header';
  if (traits.promptCacheKey) return 'prompt_cache_key';
  if (traits.user) return 'user';
  return traits.start ? 'conversation_start' : undefined;
}

/**
 * A digest that all calls of one conversation share, in every process: of the caller's own key, else of how the conversation
 * begins. Undefined for a call that has neither. It holds no text of the prompt.
 */
export function sessionKeyOf(traits: SessionTraits): string | undefined {
  const { header, promptCacheKey, user, model, start } = traits;
  const own = header || promptCacheKey || user;
  if (own) return digest([own]);
  return start ? digest([model, start]) : undefined;
}

function digest(parts: readonly (string | undefined)[]): string {
  const text = parts.map((part) => part?.slice(0, MOST_CHARACTERS) ?? '').join('\0');
  return hash('sha256', text, 'base64url').slice(0, 22);
}
