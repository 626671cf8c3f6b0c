import {
  type CacheResult,
  type CacheUse,
  EmbeddingCache,
  type EmbeddingIdentity,
  embeddingKeys,
} from '@morgan/cache';
import { AppError, type CallContext, newCall, refuseUnknownOptions } from '@morgan/foundation';
import { LocalEmbeddingModel, type SimilarityMetric } from '@morgan/local-embeddings';
import { DeadlinePolicy } from '@morgan/retry';
import { BUNDLED_MODEL_DIR } from '../bundled-model.ts';
import { ServedModels } from '../models/served-models.ts';
import { HITS } from './response/cache-headers.ts';
import { type AskedCut, checkCut } from './request/asked-cut.ts';
import type { EmbeddedInput, EmbeddingInput, EmbeddingModel } from './embedding-model.ts';
import { inputFaults } from './request/input-faults.ts';
import { mapInSlices } from './response/map-in-slices.ts';
import { missingVectors } from './missing-vectors.ts';
import { type PromptFields, promptOf } from './request/prompt-choice.ts';
import { similarityOf } from './response/vector-similarity.ts';

type KeyOf = ReturnType<typeof embeddingKeys>;

/** What a service is made of; every part has a default. */
interface EmbeddingServiceOptions {
  /** Default: the bundled model, in this process's container. Not to be given beside `models`. */
  readonly model?: EmbeddingModel;
  /** Several models, of which calls name one. */
  readonly models?: ServedModels | undefined;
  /** Default: in the memory of this process. */
  readonly cache?: EmbeddingCache;
  /** Lengths to which vectors may be cut. Default: those that the model declares, or any where it declares none. */
  readonly cutDimensions?: readonly number[] | undefined;
}

/** What a call asks for. */
export interface EmbeddingRequest {
  readonly inputs: readonly EmbeddingInput[];
  /** The id of a served model, or `default`. Default: the first. */
  readonly model?: string | undefined;
  /** Default: as the model is configured. */
  readonly truncate?: boolean | null | undefined;
  /** Default: where the model is made for it, at its limit. */
  readonly cut?: readonly AskedCut[] | undefined;
  readonly prompt?: PromptFields;
  /** A length that vectors are to be cut to, and what the caller calls it. */
  readonly dimensions?: { readonly wanted: number | null | undefined; readonly field: string };
  /** Hears how many bytes the vectors take, and may have them wait or refuse them. Default: any number is held. */
  readonly hold?: ((bytes: number) => Promise<void> | undefined) | undefined;
}

/** The vectors of a call in the order of its inputs, and where they came from. */
export interface EmbeddingOutcome {
  /** The id of the model. */
  readonly model: string;
  /** The length that vectors are to have in the response. */
  readonly dimensions: number;
  readonly items: readonly EmbeddedInput[];
  /** How each different input was answered. */
  readonly results: readonly CacheResult[];
  /** For each input whether its vector was there already. */
  readonly cached: readonly boolean[];
  /** Tokens that the model has read. */
  readonly tokens: number;
}

/** A text's vector for who calls this class directly. */
interface Embedding {
  readonly vector: Float32Array;
  readonly dimension: number;
  readonly cached: boolean;
  readonly tokenCount: number;
  readonly truncated: boolean;
}

/** How {@link EmbeddingService.embed} treats its texts. */
interface EmbedTextOptions {
  readonly truncate?: boolean;
  readonly promptName?: string;
  readonly signal?: AbortSignal;
}

/** Vectors for texts: what is cached from the cache, the rest from the model, in the order of the inputs. */
export class EmbeddingService {
  readonly #models: ServedModels;
  readonly #cache: EmbeddingCache;
  readonly #cutDimensions: readonly number[] | undefined;
  readonly #deadline = new DeadlinePolicy();
  readonly #counts = { requests: 0, errors: 0, inputs: 0, tokens: 0 };
  #last: { readonly identity: EmbeddingIdentity; readonly keyOf: KeyOf } | undefined;

  /** @throws ModelLoadError when no model is given and the bundled one is not there; TypeError for an option that does not exist */
  constructor({ model, models, cache, cutDimensions, ...unknown }: EmbeddingServiceOptions = {}) {
    refuseUnknownOptions('EmbeddingService', unknown);
    const only = () => model ?? new LocalEmbeddingModel({ bundledModelDir: BUNDLED_MODEL_DIR });
    this.#models = models ?? new ServedModels([only()]);
    this.#cache = cache ?? new EmbeddingCache();
    this.#cutDimensions = cutDimensions;
  }

  /** Inputs that wait for any of the models right now. */
  get waitingInputs(): number {
    return this.#models.list().reduce((sum, { model }) => sum + model.getStatus().queueLength, 0);
  }

  /** Loads the first model. @throws ModelLoadError */
  start(): Promise<void> {
    return this.#models.start();
  }

  /** Unloads all models; calls that wait are refused. */
  stop(): Promise<void> {
    return this.#models.stop();
  }

  /** The vector of a text, or one for each of several. @throws AppError as {@link collect} does */
  embed(text: string, options?: EmbedTextOptions): Promise<Embedding>;
  embed(texts: readonly string[], options?: EmbedTextOptions): Promise<Embedding[]>;
  async embed(
    text: string | readonly string[],
    { truncate, promptName, signal }: EmbedTextOptions = {},
  ): Promise<Embedding | Embedding[]> {
    const inputs = typeof text === 'string' ? [text] : text;
    // Callers in JavaScript may give anything.
    if (!Array.isArray(inputs) || inputs.some((input) => typeof input !== 'string'))
      throw new AppError('invalid_value', 'A text or a list of texts is needed.', { param: 'input' });
    const request = { inputs, truncate, prompt: { prompt_name: promptName } };
    const { items, cached } = await this.collect(request, newCall({ signal }));
    const embeddings = items.map((item, index) => ({
      ...item,
      // A copy: that of the cache is everybody's.
      vector: item.vector.slice(),
      dimension: item.vector.length,
      cached: cached[index] as boolean,
    }));
    return typeof text === 'string' ? (embeddings[0] as Embedding) : embeddings;
  }

  /** How alike two texts are, by default as {@link metricOf} says. @throws AppError as `embed` */
  async computeSimilarity(left: string, right: string, metric?: SimilarityMetric): Promise<number> {
    const [a, b] = (await this.embed([left, right])) as [Embedding, Embedding];
    return similarityOf(metric ?? this.metricOf(), a.vector, b.vector);
  }

  /** How vectors of a model, by default the first, are to be compared: as its files say, else by their cosine. @throws AppError `model_not_found` */
  metricOf(model?: string): SimilarityMetric {
    return this.#models.named(model).getInfo().similarity ?? 'cosine';
  }

  /** Calls since the start, the cache with its hit rate, and what the model does right now. */
  getMetrics() {
    return { ...this.#counts, cache: this.#cache.getStatus(), model: this.#models.first.getStatus() };
  }

  /** Whether texts would be answered, and what by. */
  healthCheck() {
    const { first } = this.#models;
    const { up } = first.read();
    const { levels } = this.#cache.getStatus();
    return {
      status: up ? ('healthy' as const) : ('unhealthy' as const),
      model: first.id,
      cache: levels,
    };
  }

  /**
   * Texts that still wait for a model process at the deadline of the call are never computed.
   * @throws AppError `model_not_found`, `invalid_value`, `deadline_exceeded`, and what the model throws
   */
  async collect(
    request: EmbeddingRequest,
    context: CallContext,
    use: CacheUse = 'normal',
  ): Promise<EmbeddingOutcome> {
    this.#counts.requests += 1;
    this.#counts.inputs += request.inputs.length;
    try {
      const model = this.#models.named(request.model);
      const work = () => this.#collectFrom(model, request, { context, use });
      const outcome = await this.#models.use(model, context, work);
      this.#counts.tokens += outcome.tokens;
      return outcome;
    } catch (error) {
      this.#counts.errors += 1;
      throw error;
    }
  }

  async #collectFrom(
    model: EmbeddingModel,
    request: EmbeddingRequest,
    { context, use }: { readonly context: CallContext; readonly use: CacheUse },
  ): Promise<EmbeddingOutcome> {
    const { inputs, truncate: asked } = request;
    // Not later: it would wait for the very vectors that it was sent to get.
    model.checkWay?.(context);
    checkCut(request.cut, model);
    const dimensions = this.#dimensionsFor(model, request);
    const { prompts } = model;
    const prompt = promptOf(request.prompt ?? {}, prompts);
    const truncate = asked ?? model.truncatesByDefault;
    const identity = {
      fingerprint: model.fingerprint(),
      prompt: prompt ?? prompts.byName[prompts.byDefault ?? ''] ?? '',
      truncate,
    };
    const keyOf = this.#keysOf(identity);
    const keys = await mapInSlices(inputs, (input) => keyOf(model.significantPart(input)));
    const bytes = new Set(keys).size * model.dimensions * Float32Array.BYTES_PER_ELEMENT;
    const room = request.hold?.(bytes);
    if (room) await room;
    // Most calls wait for nothing, and a deadline is the dearest of what others need.
    const isInTime = !context.signal.aborted && !context.deadline?.passed;
    const mayBeThere = use === 'normal' && isInTime;
    const held = mayBeThere ? this.#cache.held(keys) : undefined;
    const lookedUp = mayBeThere && !held ? await this.#cache.lookUp(keys) : undefined;
    const resolve = (bounded: CallContext) => {
      const compute = missingVectors(model, { inputs, keys, truncate, prompt }, bounded);
      return this.#cache.resolve(keys, compute, {
        context: bounded,
        use,
        faults: inputFaults(keys),
        lookedUp,
      });
    };
    const { entries: items, results } =
      held ?? lookedUp?.resolved ?? (await this.#deadline.execute(resolve, context));
    return {
      model: model.id,
      dimensions,
      items,
      results: [...results.values()],
      cached: keys.map((key) => HITS.has(results.get(key) as CacheResult)),
      tokens: items.reduce((sum, { tokenCount }) => sum + tokenCount, 0),
    };
  }

  /** Calls hardly ever differ in what is not their text, so that what was hashed of it for the last one is kept. */
  #keysOf(identity: EmbeddingIdentity): KeyOf {
    const { fingerprint, prompt, truncate } = this.#last?.identity ?? {};
    const isSame =
      identity.fingerprint === fingerprint && identity.prompt === prompt && identity.truncate === truncate;
    if (!this.#last || !isSame) this.#last = { identity, keyOf: embeddingKeys(identity) };
    return this.#last.keyOf;
  }

  /** The length that answers have. @throws AppError `invalid_value` above what the model gives, and for one that is not allowed */
  #dimensionsFor(model: EmbeddingModel, { dimensions }: EmbeddingRequest): number {
    const full = model.dimensions;
    const { wanted, field: param = 'dimensions' } = dimensions ?? {};
    if (wanted === undefined || wanted === null || wanted === full) return full;
    const refuse = (reason: string) =>
      new AppError('invalid_value', `'${param}' is ${wanted}, but ${reason}.`, { param });
    if (wanted > full) throw refuse(`the model's vectors have ${full}`);
    const allowed = this.#cutDimensions ?? model.getInfo().cutDimensions;
    if (allowed && !allowed.includes(wanted))
      throw refuse(`vectors may be cut to ${allowed.join(', ') || 'no other length'}`);
    return wanted;
  }
}
