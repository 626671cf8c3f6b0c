import type { AttentionBlocks, ModelShape } from '../embedding-model.types.ts';
import { type GraphRunner, padBatch } from './graph-runner.ts';
import { measuredLimit } from '../tokenizer/token-window.ts';

/** A run over one text that was made. */
export interface TriedRun {
  readonly tokens: number;
  readonly ms: number;
}

/** What a measurement works with. */
interface LimitMeasurement {
  readonly runner: GraphRunner;
  readonly output: string;
  /** Ids of a text that is known to run; it is repeated to make longer ones. */
  readonly sample: readonly number[];
  readonly padId: number;
  readonly shape: ModelShape;
  /** How attention is run, and what a run took, where that is known. */
  readonly blocks?: (AttentionBlocks & TriedRun) | undefined;
  /** The limit that the files state. */
  readonly stated: number;
  /** `max_position_embeddings`, where it is stated. */
  readonly positions: number | undefined;
  /** Memory that a run may take. */
  readonly budgetBytes: number;
}

/** Values of a token that are alive at once, in hidden sizes: the residual, its projections, the wide layer. */
const LIVE_VECTORS = 12;
/** Attention's scores before and after softmax, and the mask added to them. */
const LIVE_SCORES = 3;
const FLOAT_BYTES = 4;
const USUAL = { heads: 12, hiddenSize: 768 };

/** What every process waits for at most before it serves, where memory does not limit it first. */
const LONGEST_RUN_MS = 5_000;

/** Memory of a run over one text of `tokens`, roughly and rather too much: attention is squared in it. */
function estimateRunBytes(
  tokens: number,
  { heads, hiddenSize }: ModelShape,
  { rows, valuesPerPair } = { rows: tokens, valuesPerPair: 0 },
): number {
  const scores = tokens * Math.min(rows, tokens) * (heads ?? USUAL.heads) * LIVE_SCORES;
  const masks = tokens ** 2 * valuesPerPair * LIVE_SCORES;
  const vectors = tokens * (hiddenSize ?? USUAL.hiddenSize) * LIVE_VECTORS;
  return (scores + masks + vectors) * FLOAT_BYTES;
}

/**
 * Finds out what the graph bears by running it at the limit that its files state, and below where that fails: positions
 * may start behind the padding id, and files may state anything. A run that would take more memory than the budget, or where
 * attention is in blocks so that memory does not limit it, more than five seconds, is not made; the stated limit stands then, unless the graph already fails where the files contradict each other.
 */
export async function measureLimit(
  measurement: LimitMeasurement,
): Promise<{ readonly maxTokens: number; readonly limitMeasured: boolean }> {
  const { runner, output, sample, padId, shape, blocks, stated, positions = stated } = measurement;
  // Not more than by the square: attention is a part of a run.
  const estimateMs = (tokens: number) => (blocks ? blocks.ms * (tokens / blocks.tokens) ** 2 : 0);
  const isAffordable = (tokens: number) =>
    estimateRunBytes(tokens, shape, blocks) <= measurement.budgetBytes &&
    estimateMs(tokens) <= LONGEST_RUN_MS;
  const runs = async (tokens: number) => {
    const ids = Array.from({ length: tokens }, (_, index) => sample[index % sample.length] ?? padId);
    try {
      await runner.run(padBatch([{ ids }], padId, 'right', runner.length), output);
      return true;
    } catch {
      return false;
    }
  };
  const measured = async (upTo: number) => ({
    maxTokens: await measuredLimit(upTo, sample.length, runs),
    limitMeasured: true,
  });
  if (isAffordable(stated)) return measured(stated);
  const beyond = positions + 1;
  const isFalse = beyond < stated && isAffordable(beyond) && !(await runs(beyond));
  return isFalse ? measured(beyond) : { maxTokens: stated, limitMeasured: false };
}
