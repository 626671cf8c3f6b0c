/** What one choice of a response says, cut into the pieces in which it is streamed. */
export interface Generation {
  readonly text: string;
  readonly tokens: readonly string[];
  readonly finishReason: 'stop' | 'length';
}

/** How long a text may get and what ends it. */
export interface Limits {
  readonly maxTokens: number;
  readonly stop: readonly string[];
}

/**
 * Writes a text the way a model would: token by token until it is done, until a stop text appears, wherever the
 * tokens happen to end, or until the token limit.
 */
export function generate(text: string, { maxTokens, stop }: Limits): Generation {
  const tokens = tokenize(text);
  const isLimited = tokens.length > maxTokens;
  const written = isLimited ? tokens.slice(0, maxTokens).join('') : text;
  const ends = stop.map((part) => written.indexOf(part)).filter((index) => index >= 0);
  if (ends.length > 0) {
    const cut = written.slice(0, Math.min(...ends));
    return { text: cut, tokens: tokenize(cut), finishReason: 'stop' };
  }
  if (isLimited) return { text: written, tokens: tokens.slice(0, maxTokens), finishReason: 'length' };
  return { text, tokens, finishReason: 'stop' };
}

/** A token is a word with the space before it. The same text always has the same number. */
export function tokenize(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** A made-up but constant log probability: tests can tell whether it arrived. */
export function logprobOf(token: string): number {
  return -(token.length % 10) / 10;
}
