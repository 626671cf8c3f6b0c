import { batchBytes, type BatchCost, costInBlocks, costOfLookUp, fitCost, rowsWithin } from './batch-cost.ts';
import { groupByLength } from './length-groups.ts';
import { growthOf } from './memory-peak.ts';
import type { EmbeddingModel } from '../model/embedding-model.ts';
import type { TokenRow, VectorFault } from '../model/embedding-model.types.ts';
import { openModel } from '../model/open-model.ts';
import type {
  InferenceResult,
  ItemFailure,
  ProcessOptions,
  ProcessRequest,
  Task,
  TokenWindow,
  UnrunText,
} from './process-protocol.ts';
import { textWindows } from './text-window.ts';

/** Length of the short run by which the cost of the graph is measured, in tokens. */
const SHORT_RUN = 64;
const LONG_RUN = 512;
const ANY_TOKEN = 0;

/**
 * Padded tokens of a run on the CPU, for each of its threads: what stands between two layers no longer fits the caches with more, and a
 * token costs up to a quarter more; with fewer the weights are read for too few (docs/performance.md).
 */
const RUN_TOKENS = 512;

/** What an inference process does. */
export class InferenceRole {
  readonly #model: EmbeddingModel;
  readonly #cost: BatchCost;
  readonly #runTokens: number;

  private constructor(model: EmbeddingModel, cost: BatchCost, runTokens: number) {
    this.#model = model;
    this.#cost = cost;
    this.#runTokens = runTokens;
  }

  static async load({ folder, model: options }: ProcessOptions): Promise<InferenceRole> {
    const model = await openModel(folder, options);
    const runTokens = model.info.device === 'cpu' ? RUN_TOKENS * options.threads : Infinity;
    return new InferenceRole(model, await measureCost(model), runTokens);
  }

  get loaded() {
    const { info } = this.#model;
    return { digest: info.digest, model: { info, cost: this.#cost } };
  }

  perform(request: ProcessRequest): Promise<InferenceResult> {
    if (request.type !== 'run') throw new Error(`an inference process does not ${request.type}`);
    return this.#run(request);
  }

  /** Runs a batch in parts that stay within the budget and the caches; texts of like length are together. */
  async #run(task: Task<'run'>): Promise<InferenceResult> {
    const { budgetBytes, perToken } = task;
    const { rows, unrun } = await this.#rowsOf(task);
    const startedAt = performance.now();
    const { dimensions, tokenDimensions = 0, maxTokens } = this.#model.info;
    const lengths = rows.map(({ ids }) => Math.min(ids.length, maxTokens));
    const sizes = lengths.map((length) => (perToken ? length * tokenDimensions : dimensions));
    const starts = startsOf(sizes);
    const vectors = new Float32Array(starts.at(-1) as number);
    const faults: VectorFault[] = [];
    const rowsOfRun = (longest: number) =>
      Math.min(rowsWithin(this.#cost, longest, budgetBytes), Math.floor(this.#runTokens / longest));
    for (const group of groupByLength(lengths, rowsOfRun)) {
      const batch = group.map((index) => rows[index] as TokenRow);
      const part = await (perToken ? this.#model.runTokens(batch) : this.#model.run(batch));
      const from = startsOf(group.map((index) => sizes[index] as number));
      group.forEach((index, row) =>
        vectors.set(part.vectors.subarray(from[row], from[row + 1]), starts[index]),
      );
      for (const { row, reason } of part.faults) faults.push({ row: group[row] as number, reason });
    }
    return { vectors, faults, lengths, unrun, inferenceMs: performance.now() - startedAt };
  }

  /** The tokens of a batch's rows, but for texts that are not to be run now. */
  async #rowsOf({ rows: given, budgetBytes, mostTokens }: Task<'run'>) {
    const { info, tokenizer } = this.#model;
    const texts = given.filter((row) => 'text' in row);
    const windows = (await textWindows(texts, info.maxTokens, tokenizer)).values();
    const rows: TokenRow[] = [];
    const unrun: UnrunText[] = [];
    let tokens = given.reduce((sum, row) => sum + ('text' in row ? 0 : row.ids.length), 0);
    const isToRun = (length: number) =>
      length > 0 &&
      batchBytes(this.#cost, 1, length) <= budgetBytes &&
      (tokens === 0 || tokens + length <= mostTokens);
    for (const [place, row] of given.entries()) {
      if (!('text' in row)) {
        rows.push(row);
        continue;
      }
      const window = windows.next().value as TokenWindow | ItemFailure;
      if ('failure' in window || window.truncated || !isToRun(window.row.ids.length)) {
        unrun.push({ place, window });
        continue;
      }
      rows.push(window.row);
      tokens += window.row.ids.length;
    }
    return { rows, unrun };
  }
}

/** Where each of several pieces begins that stand one after the other, and where the last one ends. */
function startsOf(sizes: readonly number[]): number[] {
  const starts = [0];
  for (const size of sizes) starts.push((starts.at(-1) as number) + size);
  return starts;
}

/** The cost of a run: what its shape says, or from a short and a long one. */
async function measureCost(model: EmbeddingModel): Promise<BatchCost> {
  const { maxTokens, rowTokens, attentionBlocks, shape } = model.info;
  const { heads, hiddenSize: hidden } = shape;
  // Nothing compares tokens: what they take follows from their vectors, and is too little to be measured.
  if (heads === 0 && hidden !== undefined) return costOfLookUp(hidden);
  if (attentionBlocks && heads !== undefined && hidden !== undefined)
    return costInBlocks(attentionBlocks, { heads, hidden });
  const runOf = async (length: number) => {
    const ids = new Array<number>(length).fill(ANY_TOKEN);
    return { length: rowTokens ?? length, bytes: await growthOf(() => model.run([{ ids }])) };
  };
  const short = await runOf(Math.min(SHORT_RUN, maxTokens));
  const long = await runOf(Math.min(LONG_RUN, maxTokens));
  return { ...fitCost(short, long, { heads, hidden }), rowTokens };
}
