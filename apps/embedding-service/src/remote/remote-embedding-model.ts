import {
  AppError,
  type CallContext,
  type ErrorCode,
  type HealthReading,
  type Logger,
  silentLogger,
} from '@morgan/foundation';
import type { HttpClientMetrics, HttpClientOptions } from '@morgan/http-client';
import type {
  EmbeddedInput,
  EmbeddingInput,
  EmbeddingModel,
  EmbedOptions,
  ModelDescription,
  ModelKind,
  ModelPrompts,
  ScoredText,
} from '../embeddings/embedding-model.ts';
import { RemoteHosts } from './remote-hosts.ts';
import type { RemoteVectors } from './remote-response.ts';
import type { RemoteConfig } from './remote.config.ts';

/** Batches of one call that are under way at a time. */
const BATCHES_AT_A_TIME = 4;

/** How long it is remembered that hosts take fewer texts at a time, in milliseconds: it may have been their lengths. */
const REMEMBERED_MS = 300_000;

/** What hosts say of one input of a batch, without its place. */
const ABOUT_AN_INPUT: readonly ErrorCode[] = ['invalid_value', 'vector_not_finite'];

/** What a remote model is made with. */
interface RemoteEmbeddingModelOptions {
  readonly config: RemoteConfig;
  /** Whether a call that does not say so has its texts cut. */
  readonly truncate: boolean;
  /** Id under which it is served. Default: the model as the hosts call it. */
  readonly id?: string | undefined;
  readonly logger?: Logger;
  readonly metrics?: HttpClientMetrics | undefined;
  /** The way to `https:` hosts. Default: none is between. */
  readonly proxy?: HttpClientOptions['proxy'];
}

/** What the batches of one call share. */
interface RemoteCall {
  readonly context: CallContext;
  readonly paramOf: (index: number) => string;
  /** Takes the vectors of a batch that begins at this place of the call. */
  readonly take: (start: number, vectors: RemoteVectors) => void;
}

/** A model that other hosts run. What it is has been declared: hosts are asked for vectors and nothing else. */
export class RemoteEmbeddingModel implements EmbeddingModel {
  readonly name = 'model';
  readonly required = true;
  readonly id: string;
  readonly dimensions: number;
  readonly truncatesByDefault: boolean;
  readonly prompts: ModelPrompts = { byName: {} };
  readonly #config: RemoteConfig;
  readonly #identity: string;
  readonly #hosts: RemoteHosts;
  /** As many texts as hosts have taken where they have refused more, and until when that counts. */
  #taken = { texts: Infinity, until: 0 };
  #loadedAt = 0;
  #inFlight = 0;

  /** @throws RangeError where the configuration declares no hosts, model or dimensions */
  constructor({ config, truncate, id, logger = silentLogger, ...wire }: RemoteEmbeddingModelOptions) {
    const { hosts, model, dimensions } = config;
    if (hosts.length === 0 || model === undefined || dimensions === undefined)
      throw new RangeError('a remote model needs hosts, model and dimensions');
    this.#config = config;
    this.id = id ?? model;
    this.dimensions = dimensions;
    this.truncatesByDefault = truncate;
    this.#identity = JSON.stringify(['remote', model, dimensions, config.maxCharacters]);
    this.#hosts = new RemoteHosts({ config, model, dimensions, logger, ...wire });
  }

  get loadedAt(): number {
    return this.#loadedAt;
  }

  /** Asks nobody: a host that is down when this service starts must not keep it from starting. */
  load(): Promise<void> {
    this.#loadedAt = Math.floor(Date.now() / 1000);
    return Promise.resolve();
  }

  unload(): Promise<void> {
    this.#loadedAt = 0;
    return this.#hosts.stop();
  }

  getInfo(): ModelDescription {
    return { backend: 'remote', dimensions: this.dimensions };
  }

  /** `queueLength` counts the inputs that hosts have been asked for. */
  getStatus() {
    return { queueLength: this.#inFlight, hosts: this.#hosts.getStatus() };
  }

  read(): HealthReading {
    const { hosts } = this.getStatus();
    return { up: this.#loadedAt > 0 && this.#hosts.up, details: { ...this.getInfo(), hosts } };
  }

  fingerprint(): string {
    return this.#identity;
  }

  significantPart(input: EmbeddingInput): EmbeddingInput {
    if (typeof input !== 'string' || !this.isTooLong(input)) return input;
    return `${input.slice(0, this.#config.maxCharacters)}+`;
  }

  kind(): Promise<ModelKind> {
    return Promise.resolve('embedding');
  }

  listTokens(): Promise<never> {
    const message = `The tokens of the model '${this.id}' are known to its hosts only.`;
    return Promise.reject(new AppError('unsupported_by_model', message, { param: 'model' }));
  }

  checkWay({ via }: CallContext): void {
    this.#hosts.checkWay(via);
  }

  embedTokens(): Promise<never> {
    const message = `The hosts of the model '${this.id}' give one vector for each text and none of single tokens.`;
    return Promise.reject(new AppError('unsupported_by_model', message, { param: 'model' }));
  }

  score(): Promise<ScoredText[]> {
    const message = `The model '${this.id}' gives embeddings of texts and no ranking, which takes a cross-encoder.`;
    return Promise.reject(new AppError('unsupported_by_model', message, { param: 'model' }));
  }

  async embed(
    inputs: readonly EmbeddingInput[],
    context: CallContext,
    options: EmbedOptions,
  ): Promise<EmbeddedInput[]> {
    const batchSize = this.#batchSize;
    const sent = this.toSend(inputs, options);
    const items = new Array<EmbeddedInput>(inputs.length);
    const starts = Array.from(
      { length: Math.ceil(sent.length / batchSize) },
      (_, index) => index * batchSize,
    );
    const take = (start: number, { vectors, tokens }: RemoteVectors) =>
      vectors.forEach((vector, place) => {
        const index = start + place;
        const truncated = this.isTooLong(inputs[index] as EmbeddingInput);
        const item = { vector, tokenCount: shareOf(tokens, place, vectors.length), truncated };
        items[index] = item;
        options.onItem?.(index, item);
      });
    const stop = new AbortController();
    const bounded = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
    const call = { context: bounded, paramOf: (index: number) => paramAt(index, options), take };
    const work = async () => {
      for (let start = starts.shift(); start !== undefined; start = starts.shift())
        await this.#embedBatch(sent.slice(start, start + batchSize), start, call);
    };
    this.#inFlight += inputs.length;
    try {
      await Promise.all(Array.from({ length: Math.min(BATCHES_AT_A_TIME, starts.length) }, work));
      return items;
    } finally {
      stop.abort();
      this.#inFlight -= inputs.length;
    }
  }

  /**
   * Where the inputs are refused, or one of them has no finite vector, their halves are sent: they may be too much for one request, and
   * where one of them is at fault the error names it. At most two requests for each halving before it is found.
   * @param start the place of the first of them in the call
   */
  async #embedBatch(batch: readonly EmbeddingInput[], start: number, call: RemoteCall): Promise<void> {
    let isRefused: boolean;
    try {
      return call.take(start, await this.#hosts.embed(batch, call.context));
    } catch (error) {
      if (!(error instanceof AppError) || !ABOUT_AN_INPUT.includes(error.code)) throw error;
      isRefused = error.code === 'invalid_value';
      if (batch.length === 1)
        throw new AppError(error.code, error.message, {
          param: call.paramOf(start),
          cause: error.cause,
        });
    }
    const half = Math.ceil(batch.length / 2);
    await this.#embedBatch(batch.slice(0, half), start, call);
    await this.#embedBatch(batch.slice(half), start + half, call);
    // None of them was at fault: they were too many.
    if (isRefused && half < this.#batchSize)
      this.#taken = { texts: half, until: performance.now() + REMEMBERED_MS };
  }

  /** Texts in one request. */
  get #batchSize(): number {
    const { texts, until } = this.#taken;
    return performance.now() < until ? Math.min(texts, this.#config.batchSize) : this.#config.batchSize;
  }

  /** What hosts get of each input: cut to `maxCharacters`, the prompt in front. @throws AppError `context_length_exceeded`, `invalid_value` */
  toSend(inputs: readonly EmbeddingInput[], options: EmbedOptions): EmbeddingInput[] {
    return inputs.map((input, index) => this.#toSend(input, index, options));
  }

  /** Whether an input is cut before hosts get it. */
  isTooLong(input: EmbeddingInput): boolean {
    return typeof input === 'string' && input.length > this.#config.maxCharacters;
  }

  #toSend(
    input: EmbeddingInput,
    index: number,
    { truncate, positions, prompt }: EmbedOptions,
  ): EmbeddingInput {
    const { maxCharacters } = this.#config;
    const param = paramAt(index, { positions });
    if (typeof input !== 'string') {
      if (!prompt) return input;
      throw new AppError('invalid_value', 'A prompt cannot stand before token ids.', { param: 'prompt' });
    }
    if (this.isTooLong(input) && !truncate) {
      const message = `The input has ${input.length} characters; at most ${maxCharacters} are taken, and truncation is off.`;
      throw new AppError('context_length_exceeded', message, { param });
    }
    return `${prompt ?? ''}${cutTo(input, maxCharacters)}`.toWellFormed();
  }
}

/** As much of a text as `characters` say, less a half of the last one. */
function cutTo(text: string, characters: number): string {
  const isInTheMiddle = (text.codePointAt(characters - 1) ?? 0) > 0xffff;
  return text.slice(0, isInTheMiddle ? characters - 1 : characters);
}

function paramAt(index: number, { positions }: Pick<EmbedOptions, 'positions'>): string {
  return `input[${positions[index] ?? index}]`;
}

/** Hosts count the tokens of a whole batch: each input has an equal part, and together they are exact. */
function shareOf(tokens: number, place: number, count: number): number {
  return Math.floor(tokens / count) + (place < tokens % count ? 1 : 0);
}
