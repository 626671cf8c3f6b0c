import { availableParallelism } from 'node:os';
import {
  AppError,
  type CallContext,
  type Logger,
  type HealthIndicator,
  type HealthReading,
} from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import { Admission } from './admission.ts';
import { batchBytes } from './batch-cost.ts';
import type { EmbeddedItem } from './embedding-job.ts';
import { EmbeddingMetrics } from './embedding-metrics.ts';
import { EmbeddingScheduler } from './embedding-scheduler.ts';
import { InferenceWork } from './inference-work.ts';
import type { LocalEmbeddingsConfig } from './local-embeddings.config.ts';
import { batchBudget, memoryCeiling, processesWithin } from './memory-budget.ts';
import { downloadModel } from './model-download.ts';
import { modelFolder } from './model-files.ts';
import { ModelLoadError, type ModelSource, resolveModelSource } from './model-source.ts';
import { ProcessPool } from './process-pool.ts';
import type {
  EmbeddingInput,
  LoadedProcess,
  ModelInfo,
  ProcessOptions,
  ProcessRole,
} from './process-protocol.ts';

/** What a caller who was refused while the model loads should wait before the next try. */
const RETRY_AFTER_MS = 1_000;
const MEBIBYTE = 1024 * 1024;
/** A service that has no room for texts of this length, or of the model's own limit, does not start. */
const SHORTEST_LIMIT_TOKENS = 128;

/** What a model needs besides its configuration. */
export interface LocalEmbeddingModelOptions {
  readonly config: LocalEmbeddingsConfig;
  /** Where the build put the bundled model. */
  readonly bundledModelDir: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How one call wants its inputs treated. */
export interface EmbedOptions {
  /** Cut inputs above the limit, or refuse them. Default: as configured. */
  readonly truncate?: boolean | undefined;
  /** What the caller calls each input, for errors: position 3 is `input[3]`. Default: its place in the list. */
  readonly positions?: readonly number[] | undefined;
}

/**
 * An embedding model on this machine. Tokenising and inference run in processes of their own; calls that come while all
 * of them are busy leave together as batches.
 */
export class LocalEmbeddingModel implements HealthIndicator {
  /** A health indicator's name: the service is of no use without the model. */
  readonly required = true;
  /** The id under which the model is served. */
  readonly id: string;
  readonly #config: LocalEmbeddingsConfig;
  readonly #logger: Logger;
  readonly #metrics: EmbeddingMetrics;
  readonly #tokenizers: ProcessPool;
  readonly #inference: ProcessPool;
  readonly #admission: Admission;
  readonly #source: ModelSource;
  readonly #options: ProcessOptions;
  readonly #unloading = new AbortController();
  #downloaded: Promise<void> = Promise.resolve();
  #scheduler: EmbeddingScheduler | undefined;
  #info: ModelInfo | undefined;
  #loadedAt = 0;

  /** @throws ModelLoadError when the model is not to be found. */
  constructor({ config, bundledModelDir, logger, metrics }: LocalEmbeddingModelOptions) {
    const { name, source } = resolveModelSource(config, bundledModelDir);
    this.id = name;
    this.#config = config;
    this.#logger = logger;
    this.#source = source;
    this.#admission = new Admission(config.queueTokens);
    this.#metrics = new EmbeddingMetrics(metrics, {
      waitingTexts: () => this.#scheduler?.length ?? 0,
      waitingTokens: () => this.#admission.tokens,
    });
    const cpus = availableParallelism();
    this.#options = {
      folder: modelFolder(source),
      dtype: config.dtype,
      threads: config.threads ?? Math.max(1, Math.floor(cpus / (config.workers ?? cpus))),
      maxTokens: config.maxTokens,
    };
    this.#tokenizers = this.#poolOf('tokenizer');
    this.#inference = this.#poolOf('inference');
  }

  get name(): string {
    return 'model';
  }

  /** Gets the model where it is in a hub, loads it into every process and warms it. @throws ModelLoadError saying what to mend. */
  async load(): Promise<void> {
    const startedAt = performance.now();
    try {
      this.#downloaded = this.#download();
      await this.#downloaded;
      this.#info = await this.#start();
      this.#loadedAt = Math.floor(Date.now() / 1000);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ModelLoadError(`The embedding model ${this.#whereFrom()} cannot be loaded: ${reason}`, {
        cause: error,
      });
    }
    const loadMs = Math.round(performance.now() - startedAt);
    this.#logger.info({ ...this.getInfo(), loadMs }, 'embedding model loaded');
  }

  /** Ends the processes at once, whatever they are doing, and the download. Calls that wait are refused. */
  async unload(): Promise<void> {
    this.#info = undefined;
    this.#unloading.abort();
    this.#scheduler?.refuseAll(notLoaded);
    await Promise.all([
      this.#tokenizers.stop(),
      this.#inference.stop(),
      // What it has written of a file is taken away before the process ends.
      this.#downloaded.catch(() => undefined),
    ]);
  }

  /**
   * One vector per input, in the order of the inputs.
   * @throws AppError `context_length_exceeded`, `invalid_value`, `invalid_token_id`, `queue_full`, `model_loading`,
   *   `inference_failed`, `client_closed_request`, or the reason of the abort where it is an AppError
   */
  async embed(
    inputs: readonly EmbeddingInput[],
    { signal }: CallContext,
    { truncate = this.#config.truncate, positions }: EmbedOptions = {},
  ): Promise<EmbeddedItem[]> {
    if (inputs.length === 0) return [];
    const info = this.#loadedInfo();
    const scheduler = this.#scheduler;
    if (!scheduler) throw notLoaded();
    if (signal.aborted) throw callStopped(signal);
    const paramOf = (index: number) => `input[${positions?.[index] ?? index}]`;
    checkTokenIds(inputs, info.vocabularySize, paramOf);
    return scheduler.submit({ inputs, truncate, paramOf }, signal, () => callStopped(signal));
  }

  /** Length of a vector. @throws AppError `model_loading` */
  get dimensions(): number {
    return this.#loadedInfo().dimensions;
  }

  /** Whether a call that does not say so has its texts cut. */
  get truncatesByDefault(): boolean {
    return this.#config.truncate;
  }

  /** When the model was loaded, in seconds since 1970; 0 before that. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  /** What the model is. Dimensions and limits are known once it is loaded. */
  getInfo() {
    const { dtype, threads } = this.#options;
    return {
      id: this.id,
      source: this.#source.kind,
      backend: 'onnxruntime-node',
      device: 'cpu',
      dtype,
      threads,
      workers: this.#inference.wanted,
      loaded: this.#info !== undefined,
      ...this.#info,
    };
  }

  /** Everything whose change changes vectors: the start of every cache key. @throws AppError `model_loading` */
  fingerprint(): string {
    return JSON.stringify([this.id, this.#options.dtype, this.#loadedInfo()]);
  }

  /** The engine right now. */
  getStatus() {
    return {
      workersAlive: this.#inference.alive,
      workersWanted: this.#inference.wanted,
      queueLength: this.#scheduler?.length ?? 0,
      queueTokens: this.#admission.tokens,
    };
  }

  read(): HealthReading {
    return {
      up: this.#info !== undefined && this.#isServing,
      details: { ...this.getInfo(), ...this.getStatus() },
    };
  }

  get #isServing(): boolean {
    return this.#inference.isServing && this.#tokenizers.isServing;
  }

  #loadedInfo(): ModelInfo {
    if (!this.#info || !this.#isServing) throw notLoaded();
    return this.#info;
  }

  #poolOf(role: ProcessRole): ProcessPool {
    const { idleRestartMs } = this.#config;
    const pool: ProcessPool = new ProcessPool({ role, process: this.#options, idleRestartMs }, this.#logger, {
      onFree: () => this.#scheduler?.dispatch(),
      onRestart: (reason) => this.#metrics.restarts.inc({ reason }),
      onRestartFailed: () => {
        if (!pool.isServing) this.#scheduler?.refuseAll(notLoaded);
      },
    });
    return pool;
  }

  /** Starts the processes: one of each first, which shows how much memory there is for more and for batches. */
  async #start(): Promise<ModelInfo> {
    const [tokenizer, inference] = await Promise.all([
      this.#tokenizers.startFirst(),
      this.#inference.startFirst(),
    ]);
    if (!inference.model) throw new Error('unreachable: an inference process describes its model');
    const budgetBytes = await this.#shareMemory(tokenizer, inference);
    const { info, cost } = inference.model;
    if (batchBytes(cost, 1, Math.min(info.maxTokens, SHORTEST_LIMIT_TOKENS)) > budgetBytes) {
      throw new Error(
        `${Math.floor(memoryCeiling(this.#config.memoryLimitMb) / MEBIBYTE)} MiB of memory leave no room for a batch; EMBEDDING_MEMORY_LIMIT_MB, or the limit of the container, must be higher`,
      );
    }
    const { batchSize: items, batchTokens: size } = this.#config;
    const parts = { admission: this.#admission, metrics: this.#metrics, budgetBytes };
    this.#scheduler = new EmbeddingScheduler({
      ...parts,
      tokenizers: this.#tokenizers,
      inference: this.#inference,
      inferenceWork: new InferenceWork({
        ...parts,
        limits: { items, size },
        processes: () => this.#inference.alive,
        logger: this.#logger,
      }),
      maxTokens: info.maxTokens,
      cutSide: tokenizer.cutSide ?? 'right',
      cost,
    });
    return info;
  }

  /** Starts as many inference processes as there is room for. @returns what is left for a batch of each, in bytes */
  async #shareMemory(tokenizer: LoadedProcess, inference: LoadedProcess): Promise<number> {
    const ceiling = memoryCeiling(this.#config.memoryLimitMb);
    const held = {
      fixedBytes: process.memoryUsage.rss() + tokenizer.rssBytes,
      inferenceBytes: inference.rssBytes,
    };
    const count =
      this.#config.workers ?? Math.min(availableParallelism(), processesWithin(ceiling, held));
    await this.#inference.growTo(count);
    const budgetBytes = batchBudget(ceiling, held, count);
    this.#metrics.batchBudget.set(budgetBytes);
    return budgetBytes;
  }

  async #download(): Promise<void> {
    const source = this.#source;
    if (source.kind !== 'hub') return;
    const { dtype } = this.#options;
    await downloadModel({ source, dtype, logger: this.#logger, signal: this.#unloading.signal });
  }

  #whereFrom(): string {
    const source = this.#source;
    return source.kind === 'folder'
      ? `in ${source.path}`
      : `${source.id} (from ${source.hubUrl}, kept in ${source.cacheDir})`;
  }
}

function checkTokenIds(
  inputs: readonly EmbeddingInput[],
  vocabularySize: number,
  paramOf: (index: number) => string,
): void {
  inputs.forEach((input, index) => {
    if (typeof input === 'string') return;
    const bad = input.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
    if (bad === undefined) return;
    throw new AppError(
      'invalid_token_id',
      `Token id ${bad} is not in the vocabulary of the model, which has ${vocabularySize} entries.`,
      { param: paramOf(index) },
    );
  });
}

/** The reason of the abort where it says enough, as that of a deadline does. */
function callStopped({ reason }: AbortSignal): AppError {
  if (reason instanceof AppError) return reason;
  return new AppError('client_closed_request', 'The client went away.');
}

function notLoaded(): AppError {
  return new AppError('model_loading', 'The embedding model is not loaded. Try again later.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
