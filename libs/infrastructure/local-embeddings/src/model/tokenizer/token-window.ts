import { z } from 'zod';

/** The special tokens that a tokenizer puts around a text, such as `[CLS]` and `[SEP]`. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Finds the special tokens by comparing one text's ids with and without them. */
export function specialTokensOf(withSpecials: readonly number[], plain: readonly number[]): SpecialTokens {
  const extra = withSpecials.length - plain.length;
  for (let start = 0; start <= extra; start += 1) {
    if (plain.every((id, index) => withSpecials[start + index] === id)) {
      return { before: withSpecials.slice(0, start), after: withSpecials.slice(start + plain.length) };
    }
  }
  return { before: [], after: [] };
}

/**
 * Cuts ids to `limit`. Special tokens that stand around them stay at both ends: a model that loses its closing token
 * gives a different vector. Ids that a caller made without special tokens get none.
 * @param side where tokens are dropped
 */
export function cutToLimit(
  ids: readonly number[],
  limit: number,
  { before, after }: SpecialTokens,
  side: 'left' | 'right' = 'right',
): readonly number[] {
  if (ids.length <= limit) return ids;
  const [head, tail] = isWrapped(ids, { before, after }) ? [before, after] : [[], []];
  const room = Math.max(limit - head.length - tail.length, 0);
  const start = side === 'right' ? head.length : ids.length - tail.length - room;
  return [...head, ...ids.slice(start, start + room), ...tail].slice(0, limit);
}

function isWrapped(ids: readonly number[], { before, after }: SpecialTokens): boolean {
  return (
    before.every((id, index) => ids[index] === id) &&
    after.every((id, index) => ids[ids.length - after.length + index] === id)
  );
}

/** The types of the tokens of a text, where they are not all 0: XLNet and Funnel have one of its own for their `[CLS]`. */
export interface TokenTypes extends SpecialTokens {
  readonly text: number;
}

/** @param types of a text with the special tokens around it */
export function tokenTypesOf(
  types: readonly number[],
  { before, after }: SpecialTokens,
): TokenTypes | undefined {
  if (types.every((type) => type === 0)) return undefined;
  const end = types.length - after.length;
  return { before: types.slice(0, before.length), text: types[before.length] ?? 0, after: types.slice(end) };
}

/** The type of each id of a row, with or without special tokens around it. */
export function typesOf(
  ids: readonly number[],
  specials: SpecialTokens,
  types: TokenTypes,
): readonly number[] {
  const row = new Array<number>(ids.length).fill(types.text);
  if (ids.length < specials.before.length + specials.after.length || !isWrapped(ids, specials)) return row;
  return [
    ...types.before,
    ...row.slice(types.before.length, ids.length - types.after.length),
    ...types.after,
  ];
}

/** The figures that limit the length of a text; those that are absent or absurd do not count. */
export interface LimitSources {
  /** `model_max_length` of the tokenizer; 1e30 stands for "unknown" there. */
  readonly tokenizer?: number | undefined;
  /** `max_seq_length` of sentence-transformers, which overrules the two others. */
  readonly sentenceTransformers?: number | undefined;
  /** `max_position_embeddings` of the model. */
  readonly positions?: number | undefined;
  /** What the configuration asks for. */
  readonly configured?: number | undefined;
  /** What counts where neither says anything. */
  readonly fallback?: number | undefined;
}

/** How a file says a limit: a whole number. Versions without one have saved 1e30. */
export const limitSetting = z
  .number()
  .refine((limit) => Number.isInteger(limit) && limit > 0, 'has to be a whole number above 0');

export const FALLBACK_LIMIT = 512;
const ABSURD_LIMIT = 1_000_000;

/** Tokens that a text may have as the files say it, special tokens included; undefined when none says anything. */
export function ownLimit({ tokenizer, sentenceTransformers, positions }: LimitSources): number | undefined {
  const isKnown = (limit: number | undefined): limit is number =>
    limit !== undefined && limit > 0 && limit < ABSURD_LIMIT;
  const overruling = isKnown(sentenceTransformers) ? sentenceTransformers : positions;
  const sources = sentenceTransformers === undefined ? [tokenizer, positions] : [overruling];
  const known = sources.filter(isKnown);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** Tokens that a text may have: never more than the files say. 512 as a rule when neither they nor the configuration say anything. */
export function statedLimit(sources: LimitSources): number {
  const { configured, fallback = FALLBACK_LIMIT } = sources;
  const own = ownLimit(sources) ?? configured ?? fallback;
  return Math.min(own, configured ?? own);
}

/**
 * The most tokens, up to `stated`, with which `runs` is true: what the graph bears, found by trying. Never tries more
 * than `stated`, and `least` is known to run.
 */
export async function measuredLimit(
  stated: number,
  least: number,
  runs: (tokens: number) => Promise<boolean>,
): Promise<number> {
  if (stated <= least || (await runs(stated))) return stated;
  let [good, bad] = [least, stated];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (await runs(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** Where a text that is too long is cut, and whether its vector is made of its own tokens alone. */
export interface PromptUse {
  readonly cutSide: 'left' | 'right';
  readonly leavesPromptOut?: boolean | undefined;
}

/** Whether a prompt is all of a text that would be read, or as many tokens are left out for it as are read. */
export function leavesNoRoom(
  promptTokens: number,
  limit: number,
  { cutSide, leavesPromptOut = false }: PromptUse,
): boolean {
  if (promptTokens === 0) return false;
  return cutSide === 'right' ? promptTokens >= limit - 1 : leavesPromptOut && promptTokens >= limit;
}
