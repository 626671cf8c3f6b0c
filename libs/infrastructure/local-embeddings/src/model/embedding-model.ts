import { isSameVector } from './graph/batch-independence.ts';
import type { ModelInfo, TokenRow, VectorBatch, VectorFault } from './embedding-model.types.ts';
import type { ChosenOutput } from './graph/graph-output.chooser.ts';
import { type GraphBatch, type GraphOutput, type GraphRunner, padBatch } from './graph/graph-runner.ts';
import { ModelLoadError } from './model-load-error.ts';
import { leavesPromptOut, type ModelPlan, type PoolingModule } from './plan/model-plan.ts';
import { pool, type TokenSpan } from './pooling.ts';
import type { TextTokenizer } from './tokenizer/text-tokenizer.ts';
import type { VectorHead, Vectors } from './vector-head.ts';

/** What a model is made of. */
interface EmbeddingModelParts {
  readonly runner: GraphRunner;
  readonly tokenizer: TextTokenizer;
  readonly output: ChosenOutput;
  readonly head: VectorHead;
  readonly plan: ModelPlan;
  readonly info: Omit<ModelInfo, keyof MeasuredInfo>;
}

/** What is known once the graph has run. */
type MeasuredInfo = Pick<ModelInfo, 'dimensions' | 'tokenDimensions' | 'batchable'>;

/** A GPU compiles its programs anew for every length, so that lengths are few there. */
const GPU_LENGTH_STEP = 32;
const ALONE =
  'the graph gives a text another vector in a batch than alone (it has no attention mask, measures its numbers over the whole batch, or takes one text only): every text is run alone';

/** An embedding model in this thread: makes token ids of texts, and vectors of token ids. Made by `openModel`. */
export class EmbeddingModel {
  readonly info: ModelInfo;
  readonly tokenizer: TextTokenizer;
  readonly #parts: EmbeddingModelParts;
  readonly #pooling: PoolingModule | undefined;

  private constructor(parts: EmbeddingModelParts, measured: MeasuredInfo) {
    this.#parts = parts;
    this.tokenizer = parts.tokenizer;
    this.info = { ...parts.info, ...measured };
    const pooling = parts.plan.modules.find((module) => module.type === 'pooling');
    this.#pooling = parts.output.pooled ? undefined : pooling;
  }

  /**
   * Runs texts, alone and together, so that the length of a vector is known, the modules are proven to fit together, and it is
   * seen whether a text has the same vector each time, and in any batch.
   * @param samples of unlike lengths
   * @throws ModelLoadError
   */
  static async start(parts: EmbeddingModelParts, samples: readonly TokenRow[]): Promise<EmbeddingModel> {
    const { plan, output } = parts;
    // Whoever calls may bring a prompt, whether the folder has any or not.
    if (output.pooled && leavesPromptOut(plan))
      throw new ModelLoadError(
        'the graph pools by itself and cannot leave prompts out, as include_prompt asks for',
      );
    const untried = new EmbeddingModel(parts, { dimensions: 0, batchable: true });
    const { data, tokenDimensions } = await untried.#vectorsOf(samples.slice(0, 1));
    if (plan.backend === 'cross-encoder' && data.length !== 1)
      throw new ModelLoadError(`the graph gives ${data.length} scores for a text; ranking takes one`);
    const asked = plan.truncateDimensions;
    if (asked !== undefined && asked > data.length)
      throw new ModelLoadError(`vectors cannot be cut to ${asked} values: the model gives ${data.length}`);
    const sizes = { dimensions: asked ?? data.length, tokenDimensions };
    const model = new EmbeddingModel(parts, { ...sizes, batchable: true });
    if (plan.backend !== 'cross-encoder') await model.#checkMeaning(samples);
    if (await model.#isBatchable(samples)) return model;
    await model.#checkRepeats(samples.slice(0, 1));
    const notes = [...parts.info.notes, ALONE];
    return new EmbeddingModel({ ...parts, info: { ...parts.info, notes } }, { ...sizes, batchable: false });
  }

  /**
   * One vector per row, in order. Rows above `info.maxTokens` are cut. A row whose vector has a value that is no finite
   * number is a fault; the others are not harmed.
   * @throws Error with the reason of the runtime, when the whole batch failed
   */
  run(rows: readonly TokenRow[]): Promise<VectorBatch> {
    return this.#inBatches(rows, (batch) => this.#run(batch));
  }

  async #run(rows: readonly TokenRow[]): Promise<VectorBatch> {
    const { maxTokens, dimensions } = this.info;
    const cut = rows.map((row) => this.tokenizer.cut(row, maxTokens));
    if (cut.length === 0) return { vectors: new Float32Array(0), faults: [] };
    const { data, dimensions: width, faultOf } = await this.#vectorsOf(cut);
    const vectors = new Float32Array(rows.length * dimensions);
    const faults: VectorFault[] = [];
    for (let row = 0; row < rows.length; row += 1) {
      const vector = data.subarray(row * width, row * width + dimensions);
      const bad = firstNotFinite(vector);
      if (bad < 0) vectors.set(vector, row * dimensions);
      else faults.push({ row, reason: `value ${bad} of the vector is ${vector[bad]}; ${faultOf(row)}` });
    }
    return { vectors, faults };
  }

  /**
   * The vectors of all tokens of each row as the graph gives them, prompt and special tokens included: one row's after the
   * other's, each of `info.tokenDimensions` values. Cut and checked as in {@link run}.
   */
  runTokens(rows: readonly TokenRow[]): Promise<VectorBatch> {
    return this.#inBatches(rows, (batch) => this.#runTokens(batch));
  }

  async #runTokens(rows: readonly TokenRow[]): Promise<VectorBatch> {
    const { maxTokens, tokenDimensions: width } = this.info;
    if (width === undefined) throw new Error('the graph shows no vectors of tokens');
    const cut = rows.map((row) => this.tokenizer.cut(row, maxTokens));
    const { result, batch } = await this.#outputOf(cut);
    const sizes = cut.map(({ ids }) => ids.length * width);
    const vectors = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
    const faults: VectorFault[] = [];
    let start = 0;
    for (const [row, size] of sizes.entries()) {
      const first = row * batch.length * width;
      const values = result.data.subarray(first, first + size);
      const bad = firstNotFinite(values);
      if (bad < 0) vectors.set(values, start);
      else faults.push({ row, reason: `a value of token ${Math.floor(bad / width)} is ${values[bad]}` });
      start += size;
    }
    return { vectors, faults };
  }

  /** Gives the memory of the graph back. */
  close(): Promise<void> {
    return this.#parts.runner.close();
  }

  /** All together, or each alone where the vectors of a batch depend on each other. */
  async #inBatches(
    rows: readonly TokenRow[],
    run: (batch: readonly TokenRow[]) => Promise<VectorBatch>,
  ): Promise<VectorBatch> {
    if (this.info.batchable) return run(rows);
    const parts: VectorBatch[] = [];
    for (const row of rows) parts.push(await run([row]));
    const vectors = new Float32Array(parts.reduce((sum, part) => sum + part.vectors.length, 0));
    let start = 0;
    for (const part of parts) {
      vectors.set(part.vectors, start);
      start += part.vectors.length;
    }
    return {
      vectors,
      faults: parts.flatMap(({ faults }, row) => faults.map((fault) => ({ ...fault, row }))),
    };
  }

  async #isBatchable(samples: readonly TokenRow[]): Promise<boolean> {
    try {
      const { dimensions, device } = this.info;
      const apart = new EmbeddingModel(this.#parts, { ...this.info, batchable: false });
      const together = await this.run(samples);
      for (const [place, sample] of samples.entries()) {
        const alone = await apart.run([sample]);
        const beside = together.vectors.subarray(place * dimensions, (place + 1) * dimensions);
        if (!isSameVector(alone.vectors, beside, device)) return false;
      }
      return true;
    } catch {
      // A graph that was exported for one text at a time.
      return false;
    }
  }

  /**
   * Vectors that are the same for unlike texts, or zeros, look like any others and find nothing: weights in 16 bits that have
   * underflowed give them, and a graph into which its example was traced. @throws ModelLoadError
   */
  async #checkMeaning([first, second]: readonly TokenRow[]): Promise<void> {
    if (!first || !second?.ids.some((id) => !first.ids.includes(id))) return;
    const { vectors: one } = await this.run([first]);
    const { vectors: other, faults } = await this.run([second]);
    if (faults.length > 0 || one.some((value, index) => value !== other[index])) return;
    const what = one.every((value) => value === 0) ? 'zeros for every text' : 'unlike texts the same vector';
    throw new ModelLoadError(
      `the graph gives ${what}: another export or EMBEDDING_DTYPE may give the right ones`,
    );
  }

  /** Random numbers would make every vector its own, and the cache would keep the first. @throws ModelLoadError */
  async #checkRepeats(sample: readonly TokenRow[]): Promise<void> {
    const [one, other] = [await this.run(sample), await this.run(sample)];
    if (isSameVector(one.vectors, other.vectors, this.info.device)) return;
    throw new ModelLoadError(
      'the graph gives a text another vector each time, as one does that was exported for training, with its dropout, or that draws random numbers',
    );
  }

  async #vectorsOf(rows: readonly TokenRow[]) {
    const { result, batch } = await this.#outputOf(rows);
    const vectors = this.#parts.head.apply(this.#pool(result, batch, rows));
    const tokenDimensions = this.#parts.output.pooled ? undefined : result.dims.at(-1);
    return { ...vectors, tokenDimensions, faultOf: (row: number) => whereItCameFrom(result, row) };
  }

  async #outputOf(
    rows: readonly TokenRow[],
  ): Promise<{ readonly result: GraphOutput; readonly batch: GraphBatch }> {
    const { runner, tokenizer, output } = this.#parts;
    const { device, batchable, maxTokens } = this.info;
    const { padId, padSide } = tokenizer.settings;
    // Padding on the right changes nothing that comes before it. A graph that pools may rely on the side it was made for.
    const side = output.pooled ? padSide : 'right';
    const isInSteps = device !== 'cpu' && batchable;
    const least = runner.length ?? (isInSteps ? stepsOf(rows, maxTokens) : undefined);
    const typed = rows.map((row) => tokenizer.typed(row));
    const batch = padBatch(typed, padId, side, least);
    const result = (await runner.run(batch, output.name)).get(output.name);
    const isOfRows = result?.dims[0] === rows.length;
    if (!result || !isOfRows || (!output.pooled && result.dims[1] !== batch.length))
      throw new Error(
        `the output "${output.name}" of the graph has the shape [${result?.dims.join(', ') ?? ''}] for ${rows.length} x ${batch.length} tokens; ` +
          `understood are ${rows.length} vectors, or ${rows.length} x ${batch.length} of them, one for each token`,
      );
    return { result, batch };
  }

  #pool({ data, dims }: GraphOutput, batch: GraphBatch, rows: readonly TokenRow[]): Vectors {
    const dimensions = dims.at(-1) as number;
    if (!this.#pooling) return { data: data.slice(), dimensions };
    const { modes, includePrompt } = this.#pooling;
    const spans = rows.map(({ ids, promptTokens = 0 }): TokenSpan => {
      const from = includePrompt ? 0 : Math.min(promptTokens, ids.length);
      return { first: 0, from, to: ids.length };
    });
    const pooled = pool({ data, length: batch.length, dimensions, spans }, modes);
    return { data: pooled, dimensions: dimensions * modes.length };
  }
}

function stepsOf(rows: readonly TokenRow[], maxTokens: number): number {
  const longest = Math.max(...rows.map(({ ids }) => ids.length));
  return Math.min(Math.ceil(longest / GPU_LENGTH_STEP) * GPU_LENGTH_STEP, Math.max(maxTokens, longest));
}

/** The place of the first value that is no finite number; -1 where there is none. A loop: `findIndex` calls a function for each of them. */
function firstNotFinite(values: Float32Array): number {
  for (let index = 0; index < values.length; index += 1) if (!Number.isFinite(values[index])) return index;
  return -1;
}

function whereItCameFrom({ data, dims }: GraphOutput, row: number): string {
  const size = data.length / (dims[0] as number);
  const at = firstNotFinite(data.subarray(row * size, (row + 1) * size));
  if (at < 0) return 'the graph gave finite numbers, the modules after it did not';
  if (dims.length < 3) return 'the graph gave it so';
  return `the graph gave it so, first at token ${Math.floor(at / (dims.at(-1) as number))}`;
}
