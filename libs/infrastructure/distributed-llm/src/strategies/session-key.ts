import { hash } from 'node:crypto';

/** Characters of each part that count: enough to tell conversations apart, and hashing them costs little. */
const MOST_CHARACTERS = 1024;

/** What says which conversation a call belongs to, the surest first. An empty text counts as missing. */
export interface SessionTraits {
  /** The caller's session header. */
  readonly header?: string | undefined;
  /** OpenAI's `prompt_cache_key`. */
  readonly promptCacheKey?: string | undefined;
  /** OpenAI's `user`. */
  readonly user?: string | undefined;
  readonly model?: string | undefined;
  readonly systemPrompt?: string | undefined;
  readonly firstUserTurn?: string | undefined;
}

/** What a session key is made of. */
export type SessionKeySource = 'header' | 'prompt_cache_key' | 'user' | 'conversation_start';

/** Where the session key of such a call comes from. */
export function sessionKeySource(traits: SessionTraits): SessionKeySource | undefined {
  if (traits.header) return 'header';
  if (traits.promptCacheKey) return 'prompt_cache_key';
  if (traits.user) return 'user';
  return traits.systemPrompt || traits.firstUserTurn ? 'conversation_start' : undefined;
}

/**
 * A digest that all calls of one conversation share, from whatever process: of the caller's own key, else of how the
 * conversation starts, as later turns leave that as it is. Undefined where a call has neither. Holds no prompt text.
 */
export function sessionKeyOf(traits: SessionTraits): string | undefined {
  const { header, promptCacheKey, user, model, systemPrompt, firstUserTurn } = traits;
  const own = header || promptCacheKey || user;
  if (own) return digest([own]);
  if (!systemPrompt && !firstUserTurn) return undefined;
  return digest([model, systemPrompt, firstUserTurn]);
}

function digest(parts: readonly (string | undefined)[]): string {
  const text = parts.map((part) => part?.slice(0, MOST_CHARACTERS) ?? '').join('\0');
  return hash('sha256', text, 'base64url').slice(0, 22);
}
