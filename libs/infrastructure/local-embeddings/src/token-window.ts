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
 */
export function cutToLimit(
  ids: readonly number[],
  limit: number,
  { before, after }: SpecialTokens,
): readonly number[] {
  if (ids.length <= limit) return ids;
  const isWrapped =
    before.every((id, index) => ids[index] === id) &&
    after.every((id, index) => ids[ids.length - after.length + index] === id);
  if (!isWrapped) return ids.slice(0, limit);
  const room = Math.max(limit - before.length - after.length, 0);
  const core = ids.slice(before.length, before.length + room);
  return [...before, ...core, ...after].slice(0, limit);
}

/** The figures that limit the length of a text; those that are absent or absurd do not count. */
export interface LimitSources {
  /** `model_max_length` of the tokenizer; 1e30 stands for "unknown" there. */
  readonly tokenizer?: number | undefined;
  /** `max_seq_length` of sentence-transformers. */
  readonly sentenceTransformers?: number | undefined;
  /** `max_position_embeddings` of the model. */
  readonly positions?: number | undefined;
  /** Positions that the model never uses: RoBERTa and its kin count from `pad_token_id + 1`. */
  readonly positionOffset?: number | undefined;
  /** What the configuration asks for. */
  readonly configured?: number | undefined;
}

const FALLBACK_LIMIT = 512;
const ABSURD_LIMIT = 1_000_000;

/** Tokens that a text may have, special tokens included: the smallest of all known limits, 512 when none is known. */
export function tokenLimit(sources: LimitSources): number {
  const positions =
    sources.positions === undefined ? undefined : sources.positions - (sources.positionOffset ?? 0);
  const known = [sources.tokenizer, sources.sentenceTransformers, positions].filter(
    (limit) => limit !== undefined && limit > 0 && limit < ABSURD_LIMIT,
  ) as number[];
  const own = known.length > 0 ? Math.min(...known) : FALLBACK_LIMIT;
  return Math.min(own, sources.configured ?? own);
}
