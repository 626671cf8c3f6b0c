import type { TokenUsage } from '../../dialects/dialect.ts';

/** How a second host is asked: for the rest of the text, or for all of it. */
export type ResumeMode = 'continue' | 'restart';

interface Attempt {
  readonly usage: TokenUsage | undefined;
  /** Tokens of the response that it was given as its beginning. */
  readonly given: number;
  /** Events with content that came of it. */
  readonly written: number;
}

/**
 * What the interrupted attempts of one response cost. A host that breaks off has mostly not counted yet: its prompt is then
 * taken as that of the attempt which did count.
 */
export class AttemptUsage {
  readonly #attempts: Attempt[] = [];

  interrupted(attempt: Attempt): void {
    this.#attempts.push(attempt);
  }

  /**
   * What came before an attempt with these counts.
   * @param given tokens of the response that this attempt was given as its beginning.
   */
  before(usage: TokenUsage, given: number): TokenUsage | undefined {
    return this.each(usage, given).reduce<TokenUsage | undefined>(addUsage, undefined);
  }

  /** The tokens of each interrupted attempt, in their order. Parameters as of {@link before}. */
  each(usage: TokenUsage, given: number): TokenUsage[] {
    const prompt = usage.input === undefined ? undefined : Math.max(0, usage.input - given);
    return this.#attempts.map((attempt) => ({
      ...(prompt !== undefined && { input: prompt + attempt.given }),
      ...countedSoFar(attempt.usage, attempt.written),
    }));
  }
}

/**
 * The counts of a response that its host may not have counted to its end: each event with content is taken for a token, as
 * nearly all hosts send one for each. Anthropic begins a count with its first event.
 */
export function countedSoFar(usage: TokenUsage | undefined, written: number): TokenUsage {
  return { ...usage, output: Math.max(usage?.output ?? 0, written) };
}

/** The counts of two attempts together; a count that only one has is that one's. */
function addUsage(one: TokenUsage | undefined, other: TokenUsage | undefined): TokenUsage | undefined {
  if (!one || !other) return one ?? other;
  const sum = (key: keyof TokenUsage) => {
    const [a, b] = [one[key], other[key]];
    return a === undefined && b === undefined ? {} : { [key]: (a ?? 0) + (b ?? 0) };
  };
  return { ...sum('input'), ...sum('output'), ...sum('cachedInput') };
}
