import {
  AppError,
  type CallContext,
  type ErrorCode,
  type HealthReading,
  type Logger,
  newCall,
} from '@morgan/foundation';
import { cosineSimilarity, ModelLoadError } from '@morgan/local-embeddings';
import type { Counter } from '@morgan/telemetry';
import type {
  EmbeddedInput,
  EmbeddingInput,
  EmbeddingModel,
  EmbedOptions,
  ModelDescription,
  ModelKind,
  ModelPrompts,
  ScoredText,
  TextToken,
} from '../embeddings/embedding-model.ts';
import { similarityOf } from '../embeddings/response/vector-similarity.ts';
import type { RemoteEmbeddingModel } from './remote-embedding-model.ts';

/** What is about the hosts and not about the inputs. */
const HOST_FAULTS: readonly ErrorCode[] = [
  'no_host_available',
  'host_error',
  'host_timeout',
  'host_rejected_credentials',
  'rate_limited',
  'vector_not_finite',
  'request_loop',
];
/** Below it two vectors of one text are not of one model: other weights in 8 bits are above it, another pooling is below. */
const LEAST_COSINE = 0.99;
/** What the shorter of them must have of the length of the longer: where only one of the two sides scales its vectors, it has less. */
const LEAST_SHARE = 0.9;
/** A text to compare by is so short that no host cuts it. */
const COMPARED_CHARACTERS = 256;

/** What it is made of. */
interface FallbackParts {
  readonly hosts: RemoteEmbeddingModel;
  /** The same model, in this container. */
  readonly local: EmbeddingModel;
  readonly logger: Logger;
  /** Counts the texts that are embedded here. */
  readonly texts: Counter;
}

/**
 * Hosts that compute, and the same model here for calls that no host answers. That they are the same has been declared, and
 * is looked at: the lengths of their vectors when it is loaded, and the vectors of the first short text that a host has
 * embedded. Where these differ the model here is not used any more.
 */
export class FallbackEmbeddingModel implements EmbeddingModel {
  readonly name = 'model';
  readonly required = true;
  readonly id: string;
  readonly dimensions: number;
  readonly truncatesByDefault: boolean;
  readonly prompts: ModelPrompts;
  readonly #parts: FallbackParts;
  #identity: string | undefined;
  #comparison: 'due' | 'running' | 'same' | 'different' = 'due';
  /** Whether the last call was answered from here. */
  #serves = false;

  constructor(parts: FallbackParts) {
    const { id, dimensions, truncatesByDefault, prompts } = parts.hosts;
    this.#parts = parts;
    this.id = id;
    this.dimensions = dimensions;
    this.truncatesByDefault = truncatesByDefault;
    this.prompts = prompts;
  }

  get loadedAt(): number {
    return this.#parts.hosts.loadedAt;
  }

  /** @throws ModelLoadError where the model here cannot be loaded, or its vectors have another length */
  async load(): Promise<void> {
    const { hosts, local } = this.#parts;
    await local.load();
    const isSame = local.dimensions === this.dimensions && (await local.kind()) === 'embedding';
    if (!isSame) {
      const message = `EMBEDDING_REMOTE_FALLBACK_MODEL, ${local.id}, has vectors of ${local.dimensions} values, and EMBEDDING_REMOTE_DIMENSIONS is ${this.dimensions}: they are not the same model`;
      await local.unload();
      throw new ModelLoadError(message);
    }
    // Whoever has not declared this very model must not find its vectors.
    this.#identity = JSON.stringify([hosts.fingerprint(), local.fingerprint()]);
    await hosts.load();
  }

  async unload(): Promise<void> {
    await Promise.all([this.#parts.hosts.unload(), this.#parts.local.unload()]);
  }

  getInfo(): ModelDescription {
    return this.#parts.hosts.getInfo();
  }

  getStatus() {
    const { hosts, local } = this.#parts;
    const status = hosts.getStatus();
    const { queueLength } = local.getStatus();
    return {
      ...status,
      queueLength: status.queueLength + queueLength,
      fallback: { model: local.id, serves: this.#serves, comparison: this.#comparison },
    };
  }

  read(): HealthReading {
    const { hosts, local } = this.#parts;
    const { up, details } = hosts.read();
    const { fallback } = this.getStatus();
    const isHere = this.loadedAt > 0 && this.#comparison !== 'different' && local.read().up;
    return { up: up || isHere, details: { ...details, fallback } };
  }

  fingerprint(): string {
    if (this.#identity === undefined)
      throw new AppError('model_loading', 'The embedding model is not loaded. Try again later.');
    return this.#identity;
  }

  significantPart(input: EmbeddingInput): EmbeddingInput {
    return this.#parts.hosts.significantPart(input);
  }

  kind(): Promise<ModelKind> {
    return this.#parts.hosts.kind();
  }

  checkWay(context: CallContext): void {
    this.#parts.hosts.checkWay(context);
  }

  /** Hosts are not asked for tokens; the model here has the same. */
  listTokens(
    texts: readonly string[],
    specials: boolean,
    context: CallContext,
  ): Promise<readonly (readonly TextToken[])[]> {
    return this.#parts.local.listTokens(texts, specials, context);
  }

  embedTokens(): Promise<never> {
    return this.#parts.hosts.embedTokens();
  }

  score(): Promise<ScoredText[]> {
    return this.#parts.hosts.score();
  }

  async embed(
    inputs: readonly EmbeddingInput[],
    context: CallContext,
    options: EmbedOptions,
  ): Promise<EmbeddedInput[]> {
    const { hosts, logger } = this.#parts;
    const given = new Array<EmbeddedInput | undefined>(inputs.length).fill(undefined);
    const onItem = (index: number, item: EmbeddedInput) => {
      given[index] = item;
      options.onItem?.(index, item);
    };
    try {
      const items = await hosts.embed(inputs, context, { ...options, onItem });
      if (this.#serves) logger.info({}, 'embedding hosts give vectors again');
      this.#serves = false;
      this.#compare(inputs, items, options);
      return items;
    } catch (error) {
      if (this.#comparison === 'different' || !isAboutHosts(error)) throw error;
      if (!this.#serves) logger.warn({ error }, 'no embedding host gives vectors; the same model here does');
      this.#serves = true;
      return this.#embedRest(inputs, given, context, options);
    }
  }

  /** What the hosts have given until they failed stays as it is: it is the same model. */
  async #embedRest(
    inputs: readonly EmbeddingInput[],
    given: readonly (EmbeddedInput | undefined)[],
    context: CallContext,
    options: EmbedOptions,
  ): Promise<EmbeddedInput[]> {
    const places = [...given.keys()].filter((index) => !given[index]);
    const rest = await this.#embedHere(
      places.map((place) => inputs[place] as EmbeddingInput),
      context,
      {
        ...options,
        positions: places.map((place) => options.positions[place] ?? place),
        onItem: (index, item) => options.onItem?.(places[index] as number, item),
      },
    );
    const items = [...given];
    places.forEach((place, index) => (items[place] = rest[index]));
    return items as EmbeddedInput[];
  }

  async #embedHere(
    inputs: readonly EmbeddingInput[],
    context: CallContext,
    options: EmbedOptions,
  ): Promise<EmbeddedInput[]> {
    const { hosts, local, texts } = this.#parts;
    // What the hosts would have got: cut at the same character, and with no prompt that they do not know of.
    const sent = hosts.toSend(inputs, options);
    const asCut = (item: EmbeddedInput, index: number): EmbeddedInput => ({
      ...item,
      truncated: item.truncated || hosts.isTooLong(inputs[index] as EmbeddingInput),
    });
    const onItem = (index: number, item: EmbeddedInput) => options.onItem?.(index, asCut(item, index));
    const items = await local.embed(sent, context, { ...options, prompt: '', onItem });
    texts.inc(undefined, items.length);
    return items.map(asCut);
  }

  /** Nobody waits for it: the hosts have answered. */
  #compare(inputs: readonly EmbeddingInput[], items: readonly EmbeddedInput[], options: EmbedOptions): void {
    if (this.#comparison !== 'due') return;
    const sent = this.#parts.hosts.toSend(inputs, options);
    const index = sent.findIndex((text) => typeof text === 'string' && text.length <= COMPARED_CHARACTERS);
    const [text, item] = [sent[index], items[index]];
    if (text === undefined || !item) return;
    this.#comparison = 'running';
    this.#compareOne(text, item.vector).catch(() => (this.#comparison = 'due'));
  }

  async #compareOne(text: EmbeddingInput, expected: Float32Array): Promise<void> {
    const { local, logger } = this.#parts;
    const context = newCall({ id: 'comparison of models' });
    const [own] = await local.embed([text], context, { truncate: true, positions: [0], prompt: '' });
    const [cosine, share] = own ? likenessOf(own.vector, expected) : [0, 0];
    this.#comparison = cosine >= LEAST_COSINE && share >= LEAST_SHARE ? 'same' : 'different';
    if (this.#comparison === 'same') return;
    const fields = { model: local.id, cosine, share };
    logger.error(
      fields,
      'the embedding hosts and the fallback are not the same model; it is not used any more',
    );
  }
}

/** The cosine of the angle between two vectors, and what the shorter has of the length of the longer. */
function likenessOf(own: Float32Array, expected: Float32Array): readonly [number, number] {
  const lengths = [own, expected].map((vector) => Math.sqrt(similarityOf('dot', vector, vector)));
  return [cosineSimilarity(own, expected), Math.min(...lengths) / Math.max(...lengths)];
}

function isAboutHosts(error: unknown): boolean {
  return error instanceof AppError && HOST_FAULTS.includes(error.code);
}
