import type { AttentionBlocks } from '../model/embedding-model.types.ts';

/**
 * Memory that a run of the graph takes on top of the weights, in bytes: every token costs `perToken`, and every pair of
 * tokens of one text costs `perPair`, because attention compares each token with each.
 */
export interface BatchCost {
  readonly perToken: number;
  readonly perPair: number;
  /** Tokens that every row is padded to at least, where the graph takes no other length. */
  readonly rowTokens?: number | undefined;
}

/** The peak of a run of `rows` texts that are padded to `length` tokens, in bytes. */
export function batchBytes(
  { perToken, perPair, rowTokens = 0 }: BatchCost,
  rows: number,
  length: number,
): number {
  const padded = Math.max(length, rowTokens);
  return rows * padded * (perToken + perPair * padded);
}

/** Texts of `length` tokens that one run may hold within `budgetBytes`; 0 when not even one fits. */
export function rowsWithin(cost: BatchCost, length: number, budgetBytes: number): number {
  return Math.floor(budgetBytes / Math.max(batchBytes(cost, 1, length), 1));
}

/** The longest text that fits into `budgetBytes` alone, in tokens: the root of `batchBytes(cost, 1, n) = budgetBytes`. */
export function longestWithin({ perToken, perPair }: BatchCost, budgetBytes: number): number {
  if (perPair === 0) return Math.floor(budgetBytes / Math.max(perToken, 1));
  return Math.floor((Math.sqrt(perToken ** 2 + 4 * perPair * budgetBytes) - perToken) / (2 * perPair));
}

/** A run that was measured: one text of `length` tokens grew the process by `bytes` at its peak. */
interface MeasuredRun {
  readonly length: number;
  readonly bytes: number;
}

/** What the configuration of a model says about its size; undefined where it does not. */
interface GraphShape {
  readonly heads?: number | undefined;
  readonly hidden?: number | undefined;
}

const FLOAT_BYTES = 4;
/** Scores and their softmax are alive at the same time. */
const SCORE_BUFFERS = 2;
/** A feed-forward layer is usually four times as wide as the hidden state; its input and output are alive beside it. */
const HIDDEN_BUFFERS = 10;

/**
 * The cost of a graph from two measured runs, a short and a long one, and never less than its shape says: a run may have
 * reused memory that an earlier one left behind.
 */
export function fitCost(
  short: MeasuredRun,
  long: MeasuredRun,
  { heads = 0, hidden = 0 }: GraphShape,
): BatchCost {
  const slope = (run: MeasuredRun) => run.bytes / run.length;
  const perPair =
    long.length > short.length ? (slope(long) - slope(short)) / (long.length - short.length) : 0;
  const measuredPair = Math.max(perPair, 0);
  return {
    perPair: Math.max(measuredPair, heads * FLOAT_BYTES * SCORE_BUFFERS),
    perToken: Math.max(slope(long) - measuredPair * long.length, hidden * FLOAT_BYTES * HIDDEN_BUFFERS),
  };
}

/** Scores, those that are masked, their softmax, and as much again and more that the arena keeps back, which grows by doubling. */
const BLOCK_BUFFERS = 5;
/** A mask, and what it is made of: truth values, which are smaller, and gone when blocks begin. */
const MASK_BUFFERS = 1.5;

/**
 * The cost of a graph whose attention is run in blocks. It follows from the shape: runs that are short enough to be measured at every
 * load take more than long ones for each token, as the allocator keeps back what is smaller than its limit for pages of their own.
 */
export function costInBlocks(
  { rows, valuesPerPair }: AttentionBlocks,
  { heads, hidden }: { readonly heads: number; readonly hidden: number },
): BatchCost {
  return {
    perPair: valuesPerPair * FLOAT_BYTES * MASK_BUFFERS,
    perToken: (hidden * HIDDEN_BUFFERS + rows * heads * BLOCK_BUFFERS) * FLOAT_BYTES,
  };
}

/** A vector as the table has it, as 32-bit floats, with its factor, and the copy that is pooled. */
const LOOK_UP_BUFFERS = 4;

/** The cost of looking up vectors of `hidden` values. */
export function costOfLookUp(hidden: number): BatchCost {
  return { perPair: 0, perToken: hidden * FLOAT_BYTES * LOOK_UP_BUFFERS };
}
