import { type BatchCost, fitCost, rowsWithin } from './batch-cost.ts';
import { EmbeddingEngine } from './embedding-engine.ts';
import { groupByLength } from './length-groups.ts';
import { growthOf } from './memory-peak.ts';
import type { InferenceResult, ProcessOptions, ProcessRequest, VectorFault } from './process-protocol.ts';

/** Length of the short run by which the cost of the graph is measured, in tokens. */
const SHORT_RUN = 64;
const LONG_RUN = 512;
const ANY_TOKEN = 0;

/** What an inference process does. */
export class InferenceRole {
  readonly #engine: EmbeddingEngine;
  readonly #cost: BatchCost;

  private constructor(engine: EmbeddingEngine, cost: BatchCost) {
    this.#engine = engine;
    this.#cost = cost;
  }

  static async load(options: ProcessOptions): Promise<InferenceRole> {
    const engine = await EmbeddingEngine.load(options);
    return new InferenceRole(engine, await measureCost(engine));
  }

  get loaded() {
    return { model: { info: this.#engine.info, cost: this.#cost } };
  }

  /** Runs a batch in parts that stay within the budget; texts of like length are together. */
  async perform(request: ProcessRequest): Promise<InferenceResult> {
    if (request.type !== 'run') throw new Error(`an inference process does not ${request.type}`);
    const { rows, budgetBytes } = request;
    const startedAt = performance.now();
    const { dimensions } = this.#engine.info;
    const vectors = new Float32Array(rows.length * dimensions);
    const faults: VectorFault[] = [];
    const groups = groupByLength(
      rows.map((row) => row.length),
      (longest) => rowsWithin(this.#cost, longest, budgetBytes),
    );
    for (const group of groups) {
      const part = await this.#engine.run(group.map((index) => rows[index] as readonly number[]));
      group.forEach((index, row) =>
        vectors.set(part.vectors.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions),
      );
      for (const { row, reason } of part.faults) faults.push({ row: group[row] as number, reason });
    }
    return { vectors, faults, inferenceMs: performance.now() - startedAt };
  }
}

/** The cost of a run, from a short and a long one. */
async function measureCost(engine: EmbeddingEngine): Promise<BatchCost> {
  const runOf = async (length: number) => {
    const row = new Array<number>(length).fill(ANY_TOKEN);
    return { length, bytes: await growthOf(() => engine.run([row])) };
  };
  const { maxTokens } = engine.info;
  const short = await runOf(Math.min(SHORT_RUN, maxTokens));
  return fitCost(short, await runOf(Math.min(LONG_RUN, maxTokens)), engine.shape);
}
