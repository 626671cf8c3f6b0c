import {
  type CallContext,
  callStopped,
  type Logger,
  type HealthIndicator,
  type HealthReading,
  parseSettings,
  refuseUnknownOptions,
  residentBytes,
  silentLogger,
} from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import type { EmbeddedItem } from './scheduling/embedding-job.ts';
import type { EmbeddingScheduler } from './scheduling/embedding-scheduler.ts';
import { InferenceEngine } from './scheduling/inference-engine.ts';
import { checkInputs } from './input-checks.ts';
import type {
  EmbedOptions,
  LocalEmbeddingModelOptions,
  ScoredText,
  ScoreOptions,
} from './local-embedding-model.options.ts';
import { localEmbeddingsConfig, type LocalEmbeddingsConfig } from './local-embeddings.config.ts';
import { isRankingFolder, modelFolder } from './hub/model-files.ts';
import { identityOf } from './model-identity.ts';
import { ModelLoader } from './model-loader.ts';
import { ModelMemory } from './model-memory.ts';
import { hasNoTokenVectors, notFor, notLoaded } from './model-refusals.ts';
import { modelOptions } from './model-options.ts';
import { type ModelSource, resolveModelSource } from './hub/model-source.ts';
import type { ModelInfo, ModelKind } from './model/embedding-model.types.ts';
import type { TextToken } from './model/tokenizer/token-encoder.ts';
import type { EmbeddingInput, ProcessOptions } from './processes/process-protocol.ts';

/** The signal of a call that nobody ends. */
const NEVER = new AbortController().signal;

/**
 * An embedding model or a cross-encoder on this machine. Tokenising and inference run in processes of their own; calls that come while all
 * of them are busy leave together as batches.
 */
export class LocalEmbeddingModel implements HealthIndicator, AsyncDisposable {
  /** As a health indicator. */
  readonly name: string = 'model';
  /** The service is of no use without the model. */
  readonly required = true;
  /** The id under which the model is served. */
  readonly id: string;
  readonly #config: LocalEmbeddingsConfig;
  readonly #logger: Logger;
  readonly #engine: InferenceEngine;
  readonly #source: ModelSource;
  readonly #options: ProcessOptions;
  readonly #loader: ModelLoader;

  /**
   * @throws ModelLoadError when the model is not to be found, ConfigError for a configuration that is not understood, TypeError for
   *   an option that does not exist
   */
  constructor(options: LocalEmbeddingModelOptions = {}) {
    const { config: settings, bundledModelDir, setting, proxy, memory, ...more } = options;
    const { logger = silentLogger, metrics = new Metrics(), ...unknown } = more;
    refuseUnknownOptions('LocalEmbeddingModel', unknown);
    const config = parseSettings(localEmbeddingsConfig, settings);
    const { name, source } = resolveModelSource(config, bundledModelDir, setting);
    this.id = name;
    this.#config = config;
    this.#logger = logger;
    this.#source = source;
    this.#options = { folder: modelFolder(source), model: modelOptions(config) };
    const modelMemory = memory ?? new ModelMemory(config.memoryLimitMb);
    this.#engine = new InferenceEngine({
      id: name,
      config,
      process: this.#options,
      logger,
      metrics,
      memory: modelMemory,
      unavailable: notLoaded,
    });
    this.#loader = new ModelLoader({
      source,
      process: this.#options,
      engine: this.#engine,
      memory: modelMemory,
      logger,
      proxy,
      onLoaded: (loadMs) => this.#noteLoaded(loadMs),
    });
  }

  /**
   * Gets the model where it is in a hub, loads it into every process and warms it. Called again before `unload`, it waits for the
   * same load. @throws ModelLoadError saying what to mend.
   */
  load(): Promise<void> {
    return this.#loader.load();
  }

  /**
   * Ends the processes at once, whatever they are doing, and the download. Calls that wait are refused. Afterwards it may be
   * loaded again.
   */
  unload(): Promise<void> {
    return this.#loader.unload();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unload();
  }

  /**
   * One vector per input, in the order of the inputs.
   * @throws AppError `context_length_exceeded`, `invalid_value`, `invalid_token_id`, `queue_full`, `model_loading`,
   *   `inference_failed`, `client_closed_request`, or the reason of the abort where it is an AppError
   */
  async embed(
    inputs: readonly EmbeddingInput[],
    { signal, caller }: Pick<CallContext, 'signal' | 'caller'> = { signal: NEVER },
    { truncate = this.#config.truncate, positions, onItem, promptName, prompt }: EmbedOptions = {},
  ): Promise<EmbeddedItem[]> {
    if (inputs.length === 0) return [];
    const info = this.#begin(signal, 'embedding');
    const paramOf = (index: number) => `input[${positions?.[index] ?? index}]`;
    checkInputs(inputs, info, { promptName, prompt, paramOf });
    const request = { inputs, caller, truncate, promptName, prompt, paramOf, onItem };
    return this.#scheduler.submit(request, signal);
  }

  /**
   * The vectors of all tokens of each input, special tokens included, one after the other in `vector`: `tokenCount` of them,
   * as long each as `getInfo().tokenDimensions` says. Not pooled, not scaled.
   * @throws AppError `unsupported_by_model` where the graph pools by itself; as `embed`
   */
  async embedTokens(
    inputs: readonly EmbeddingInput[],
    { signal, caller }: Pick<CallContext, 'signal' | 'caller'> = { signal: NEVER },
    { truncate = this.#config.truncate, promptName, prompt }: Omit<EmbedOptions, 'positions' | 'onItem'> = {},
  ): Promise<EmbeddedItem[]> {
    if (inputs.length === 0) return [];
    const info = this.#begin(signal, 'embedding');
    if (info.tokenDimensions === undefined) throw hasNoTokenVectors(this.id);
    const paramOf = (index: number) => `inputs[${index}]`;
    checkInputs(inputs, info, { promptName, prompt, paramOf });
    const request = { inputs, caller, perToken: true, truncate, promptName, prompt, paramOf };
    return this.#scheduler.submit(request, signal);
  }

  /**
   * How well each text answers the query, in the order of the texts. Only for cross-encoders.
   * @throws AppError `unsupported_by_model`, and as `embed`
   */
  async score(
    query: string,
    texts: readonly string[],
    { signal, caller }: Pick<CallContext, 'signal' | 'caller'> = { signal: NEVER },
    { truncate = this.#config.truncate, field = 'texts' }: ScoreOptions = {},
  ): Promise<ScoredText[]> {
    if (texts.length === 0) return [];
    this.#begin(signal, 'ranking');
    const paramOf = (index: number) => `${field}[${index}]`;
    const request = { inputs: texts, caller, query, truncate, paramOf };
    const items = await this.#scheduler.submit(request, signal);
    return items.map(({ vector, ...item }) => ({ score: vector[0] as number, ...item }));
  }

  /**
   * The tokens of each text as they are before anything is cut, of at most 65,536 characters each and 262,144 tokens together,
   * without a prompt.
   * @param specials whether special tokens are put around each
   * @throws AppError `invalid_value`, `context_length_exceeded`, `queue_full`, `model_loading`, `inference_failed`
   */
  async listTokens(
    texts: readonly string[],
    specials = true,
    { signal }: Pick<CallContext, 'signal'> = { signal: NEVER },
  ): Promise<readonly (readonly TextToken[])[]> {
    this.#begin(signal);
    return this.#scheduler.tokens.list(texts, specials, signal);
  }

  /** What the model is for, from its files where it is not loaded; one that is not downloaded yet counts as `embedding`. */
  async kind(): Promise<ModelKind> {
    const { info } = this.#loader;
    if (info) return kindOf(info);
    const { backend, folder } = { ...this.#options.model, folder: this.#options.folder };
    if (backend !== 'auto') return kindOf({ backend });
    return (await isRankingFolder(folder)) ? 'ranking' : 'embedding';
  }

  /** Length of a vector. @throws AppError `model_loading` */
  get dimensions(): number {
    return this.#loadedInfo().dimensions;
  }

  /** The prompts that the model has, by name, and the name of the one that stands before texts by default. @throws AppError `model_loading` */
  get prompts(): {
    readonly byName: Readonly<Record<string, string>>;
    readonly byDefault?: string | undefined;
  } {
    const { prompts: byName, defaultPrompt: byDefault } = this.#loadedInfo();
    return { byName, byDefault };
  }

  /** Whether a call that does not say so has its texts cut. */
  get truncatesByDefault(): boolean {
    return this.#config.truncate;
  }

  /** When the model was loaded, in seconds since 1970; 0 before that. */
  get loadedAt(): number {
    return this.#loader.loadedAt;
  }

  /** What the model is. Dimensions and limits are known once it is loaded. */
  getInfo() {
    const { backend, device, dtype, threads } = this.#options.model;
    const source = this.#source;
    const { info } = this.#loader;
    return {
      id: this.id,
      source: source.kind,
      revision: source.kind === 'hub' ? source.revision : undefined,
      backend,
      device,
      dtype,
      threads,
      workers: this.#engine.status.workersWanted,
      loaded: info !== undefined,
      ...info,
      memory: { weightsBytes: info?.weightsBytes },
    };
  }

  /**
   * Everything whose change changes vectors: the start of every cache key.
   * @param promptName as in the options of `embed`
   * @throws AppError `model_loading`
   */
  fingerprint(promptName?: string): string {
    return identityOf(this.#loadedInfo(), { ...this.#config, id: this.id, promptName });
  }

  /**
   * What of an input its vector depends on, for cache keys: of a text of megabytes only its beginning can matter.
   * @throws AppError `model_loading`
   */
  significantPart(input: EmbeddingInput): EmbeddingInput {
    return this.#scheduler.significantPart(input);
  }

  /** The engine right now. */
  getStatus() {
    return this.#engine.status;
  }

  read(): HealthReading {
    const up = this.#loader.info !== undefined && this.#engine.isServing;
    // Asking for it takes longer than all the rest of a call whose vectors are cached, so only health checks do.
    return { up, details: { ...this.getInfo(), ...this.getStatus(), serviceBytes: residentBytes() } };
  }

  get #scheduler(): EmbeddingScheduler {
    const { scheduler } = this.#engine;
    if (!scheduler) throw notLoaded();
    return scheduler;
  }

  /** Nothing begins for a caller who has left. */
  #begin(signal: AbortSignal, wanted?: ModelKind): ModelInfo {
    const info = this.#loadedInfo(wanted);
    if (signal.aborted) throw callStopped(signal);
    return info;
  }

  #loadedInfo(wanted?: ModelKind): ModelInfo {
    const { info } = this.#loader;
    if (!info || !this.#engine.isServing) throw notLoaded();
    if (wanted && wanted !== kindOf(info)) throw notFor(wanted, this.id);
    return info;
  }

  #noteLoaded(loadMs: number): void {
    const { notes = [], ...info } = this.getInfo();
    this.#logger.info({ ...info, loadMs }, 'embedding model loaded');
    for (const note of notes) this.#logger.warn({ model: this.id }, note);
  }
}

function kindOf({ backend }: Pick<ModelInfo, 'backend'>): ModelKind {
  return backend === 'cross-encoder' ? 'ranking' : 'embedding';
}
