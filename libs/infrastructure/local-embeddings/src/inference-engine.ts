import { availableParallelism } from 'node:os';
import type { AppError, Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import { Admission } from './admission.ts';
import { batchBytes } from './batch-cost.ts';
import { EmbeddingMetrics } from './embedding-metrics.ts';
import { EmbeddingScheduler } from './embedding-scheduler.ts';
import { InferenceWork } from './inference-work.ts';
import type { LocalEmbeddingsConfig } from './local-embeddings.config.ts';
import { batchBudget, memoryCeiling, processesWithin } from './memory-budget.ts';
import type { ModelInfo } from './model/embedding-model.types.ts';
import { ProcessPool } from './process-pool.ts';
import type { LoadedProcess, ProcessOptions, ProcessRole } from './process-protocol.ts';

const MEBIBYTE = 1024 * 1024;
/** A service that has no room for texts of this length, or of the model's own limit, does not start. */
const SHORTEST_LIMIT_TOKENS = 128;

/** What an engine is made of. */
export interface InferenceEngineOptions {
  readonly config: LocalEmbeddingsConfig;
  readonly process: ProcessOptions;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Why calls are refused that no process can serve any more. */
  readonly unavailable: () => AppError;
}

/** The processes that serve one model, and what brings calls to them. */
export class InferenceEngine {
  readonly #options: InferenceEngineOptions;
  readonly #metrics: EmbeddingMetrics;
  readonly #admission: Admission;
  readonly #tokenizers: ProcessPool;
  readonly #inference: ProcessPool;
  #scheduler: EmbeddingScheduler | undefined;

  constructor(options: InferenceEngineOptions) {
    this.#options = options;
    this.#admission = new Admission(options.config.queueTokens);
    this.#metrics = new EmbeddingMetrics(options.metrics, {
      waitingTexts: () => this.#scheduler?.length ?? 0,
      waitingTokens: () => this.#admission.tokens,
    });
    this.#tokenizers = this.#poolOf('tokenizer');
    this.#inference = this.#poolOf('inference');
  }

  /** Takes calls; undefined before the start. */
  get scheduler(): EmbeddingScheduler | undefined {
    return this.#scheduler;
  }

  /** Whether calls are served, now or after a process that is just being replaced. */
  get isServing(): boolean {
    return this.#inference.isServing && this.#tokenizers.isServing;
  }

  get status() {
    return {
      workersAlive: this.#inference.alive,
      workersWanted: this.#inference.wanted,
      queueLength: this.#scheduler?.length ?? 0,
      queueTokens: this.#admission.tokens,
    };
  }

  /**
   * Starts the processes: one of each first, which shows how much memory there is for more and for batches.
   * @throws ModelLoadError
   */
  async start(): Promise<ModelInfo> {
    const [tokenizer, inference] = await Promise.all([
      this.#tokenizers.startFirst(),
      this.#inference.startFirst(),
    ]);
    if (!inference.model) throw new Error('unreachable: an inference process describes its model');
    const { info, cost } = inference.model;
    const budgetBytes = this.#shareMemory(tokenizer, inference);
    if (batchBytes(cost, 1, Math.min(info.maxTokens, SHORTEST_LIMIT_TOKENS)) > budgetBytes) {
      const { memoryLimitMb } = this.#options.config;
      throw new Error(
        `${Math.floor(memoryCeiling(memoryLimitMb) / MEBIBYTE)} MiB of memory leave no room for a batch; EMBEDDING_MEMORY_LIMIT_MB, or the limit of the container, must be higher`,
      );
    }
    const parts = { admission: this.#admission, metrics: this.#metrics, budgetBytes };
    const { batchSize: items, batchTokens: size } = this.#options.config;
    const inferenceWork = new InferenceWork({
      ...parts,
      limits: { items, size },
      processes: () => this.#inference.alive,
      logger: this.#options.logger,
    });
    this.#scheduler = new EmbeddingScheduler({
      ...parts,
      inferenceWork,
      tokenizers: this.#tokenizers,
      inference: this.#inference,
      maxTokens: info.maxTokens,
      cutSide: tokenizer.cutSide ?? 'right',
      cost,
    });
    return info;
  }

  /** Ends the processes at once, whatever they are doing. Calls that wait are refused. */
  async stop(): Promise<void> {
    this.#scheduler?.refuseAll(this.#options.unavailable);
    await Promise.all([this.#tokenizers.stop(), this.#inference.stop()]);
  }

  #poolOf(role: ProcessRole): ProcessPool {
    const { config, process, logger, unavailable } = this.#options;
    const pool: ProcessPool = new ProcessPool(
      { role, process, idleRestartMs: config.idleRestartMs },
      logger,
      {
        onFree: () => this.#scheduler?.dispatch(),
        onRestart: (reason) => this.#metrics.restarts.inc({ reason }),
        onRestartFailed: () => {
          if (!pool.isServing) this.#scheduler?.refuseAll(unavailable);
        },
      },
    );
    return pool;
  }

  /** Starts as many inference processes as there is room for. @returns what is left for a batch of each, in bytes */
  #shareMemory(tokenizer: LoadedProcess, inference: LoadedProcess): number {
    const { memoryLimitMb, workers } = this.#options.config;
    const ceiling = memoryCeiling(memoryLimitMb);
    const held = {
      fixedBytes: process.memoryUsage.rss() + tokenizer.rssBytes,
      inferenceBytes: inference.rssBytes,
    };
    const count = workers ?? Math.min(availableParallelism(), processesWithin(ceiling, held));
    this.#inference.growTo(count);
    const budgetBytes = batchBudget(ceiling, held, count);
    this.#metrics.batchBudget.set(budgetBytes);
    return budgetBytes;
  }
}
