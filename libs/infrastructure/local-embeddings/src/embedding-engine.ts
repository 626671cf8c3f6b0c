import { groupByLength } from './length-groups.ts';
import type { EmbeddingModel } from './model/embedding-model.ts';
import type { ModelInfo, TokenRow, VectorFault } from './model/embedding-model.types.ts';
import { openModel } from './model/open-model.ts';
import type { BatchItem, BatchResult, WorkerOptions } from './worker-protocol.ts';

/** Tokenises texts and runs the model. Blocks the thread it is on, so it belongs into a worker. */
export class EmbeddingEngine {
  readonly #model: EmbeddingModel;

  private constructor(model: EmbeddingModel) {
    this.#model = model;
  }

  /** @throws ModelLoadError */
  static async load({ folder, model }: WorkerOptions): Promise<EmbeddingEngine> {
    return new EmbeddingEngine(await openModel(folder, model));
  }

  get info(): ModelInfo {
    return this.#model.info;
  }

  /** Embeds a batch. An input above the limit that may not be cut is counted and left out of `vectors`. */
  async run(items: readonly BatchItem[]): Promise<BatchResult> {
    const { maxTokens, dimensions } = this.info;
    const startedAt = performance.now();
    const rows = await this.#tokenRows(items);
    const accepted = rows.filter(({ ids }, index) => ids.length <= maxTokens || items[index]?.truncate);
    const { vectors, faults } = await this.#inferAll(accepted);
    return {
      vectors,
      faults,
      tokenCounts: rows.map(({ ids }) => ids.length),
      dimensions,
      maxTokens,
      inferenceMs: performance.now() - startedAt,
    };
  }

  async #tokenRows(items: readonly BatchItem[]): Promise<TokenRow[]> {
    const texts = items.map(({ input }) => input).filter((input) => typeof input === 'string');
    const encoded = (await this.#model.tokenizer.tokenize(texts)).values();
    return items.map(({ input }) =>
      typeof input === 'string' ? (encoded.next().value as TokenRow) : { ids: input },
    );
  }

  async #inferAll(rows: readonly TokenRow[]) {
    const { dimensions, maxTokens } = this.info;
    const vectors = new Float32Array(rows.length * dimensions);
    const faults: VectorFault[] = [];
    for (const group of groupByLength(rows.map(({ ids }) => Math.min(ids.length, maxTokens)))) {
      const some = await this.#model.run(group.map((index) => rows[index] as TokenRow));
      group.forEach((index, row) =>
        vectors.set(some.vectors.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions),
      );
      faults.push(...some.faults.map(({ row, reason }) => ({ row: group[row] as number, reason })));
    }
    return { vectors, faults };
  }
}
