import { availableParallelism } from 'node:os';
import type { AppError, Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import { Admission } from './admission.ts';
import { defaultWorkers } from './default-workers.ts';
import { EmbeddingMetrics } from '../embedding-metrics.ts';
import { EmbeddingScheduler } from './embedding-scheduler.ts';
import { InferenceWork } from './inference-work.ts';
import type { LocalEmbeddingsConfig } from '../local-embeddings.config.ts';
import type { ModelMemory } from '../model-memory.ts';
import type { ModelInfo } from '../model/embedding-model.types.ts';
import { ProcessPool } from '../processes/process-pool.ts';
import type { LoadedProcess, ProcessOptions, ProcessRole } from '../processes/process-protocol.ts';

/** What an engine is made of. */
interface InferenceEngineOptions {
  /** The name under which the model is served. */
  readonly id: string;
  readonly config: LocalEmbeddingsConfig;
  readonly process: ProcessOptions;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Of the whole service. */
  readonly memory: ModelMemory;
  /** Why calls are refused that no process can serve any more. */
  readonly unavailable: () => AppError;
}

/** What there is while a model is loaded. */
interface Running {
  readonly tokenizers: ProcessPool;
  readonly inference: ProcessPool;
  scheduler?: EmbeddingScheduler;
  forgetRoom?: () => void;
}

/** The processes that serve one model, and what brings calls to them. After a stop it may be started again. */
export class InferenceEngine {
  readonly #options: InferenceEngineOptions;
  readonly #metrics: EmbeddingMetrics;
  #admission: Admission;
  #running: Running | undefined;

  constructor(options: InferenceEngineOptions) {
    this.#options = options;
    this.#admission = new Admission(options.config.queueTokens);
    this.#metrics = new EmbeddingMetrics(options.metrics, options.id, {
      waitingTexts: () => this.scheduler?.length ?? 0,
      waitingTokens: () => this.#admission.tokens,
    });
  }

  /** Takes calls; undefined while the model is not loaded. */
  get scheduler(): EmbeddingScheduler | undefined {
    return this.#running?.scheduler;
  }

  /** Whether calls are served, now or after a process that is just being replaced. */
  get isServing(): boolean {
    const { inference, tokenizers } = this.#running ?? {};
    return (inference?.isServing ?? false) && (tokenizers?.isServing ?? false);
  }

  get status() {
    return {
      workersAlive: this.#running?.inference.alive ?? 0,
      workersWanted: this.#running?.inference.wanted ?? 0,
      queueLength: this.scheduler?.length ?? 0,
      queueTokens: this.#admission.tokens,
    };
  }

  /**
   * Starts the processes: one of each first, which shows how much memory there is for more and for batches.
   * @throws ModelLoadError
   */
  async start(): Promise<ModelInfo> {
    const running: Running = { tokenizers: this.#poolOf('tokenizer'), inference: this.#poolOf('inference') };
    this.#running = running;
    try {
      const [tokenizer, inference] = await Promise.all([
        running.tokenizers.startFirst(),
        running.inference.startFirst(),
      ]);
      return this.#begin(running, tokenizer, inference);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends the processes at once, whatever they are doing. Calls that wait are refused. */
  async stop(): Promise<void> {
    const { scheduler, tokenizers, inference, forgetRoom } = this.#running ?? {};
    this.#running = undefined;
    forgetRoom?.();
    scheduler?.refuseAll(this.#options.unavailable);
    await Promise.all([tokenizers?.stop(), inference?.stop()]);
    this.#options.memory.leave(this);
    this.#metrics.loaded(undefined);
  }

  #begin(running: Running, tokenizer: LoadedProcess, inference: LoadedProcess): ModelInfo {
    if (!inference.model) throw new Error('unreachable: an inference process describes its model');
    const { config, memory, logger } = this.#options;
    const { info, cost } = inference.model;
    this.#shareMemory(running.inference, tokenizer, inference);
    this.#admission = new Admission(config.queueTokens);
    const parts = {
      admission: this.#admission,
      metrics: this.#metrics,
      memory: memory.batches,
    };
    const workOf = (perToken: boolean) =>
      new InferenceWork({
        ...parts,
        perToken,
        cost,
        limits: { items: config.batchSize, size: config.batchTokens },
        processes: () => running.inference.alive,
        onTokenised: (item, window) => running.scheduler?.accept(item, window),
        logger,
      });
    running.scheduler = new EmbeddingScheduler({
      ...parts,
      inferenceWork: workOf(false),
      tokenVectorWork: workOf(true),
      tokenDimensions: info.tokenDimensions ?? 0,
      tokenizers: running.tokenizers,
      inference: running.inference,
      maxTokens: info.maxTokens,
      cutSide: tokenizer.cutSide ?? 'right',
    });
    running.forgetRoom = memory.batches.onRoom(() => running.scheduler?.dispatch());
    return info;
  }

  #poolOf(role: ProcessRole): ProcessPool {
    const { config, process, logger, unavailable } = this.#options;
    const { idleRestartMs, taskTimeoutMs, loadTimeoutMs } = config;
    const pool: ProcessPool = new ProcessPool(
      { role, process, idleRestartMs, taskTimeoutMs, loadTimeoutMs },
      logger,
      {
        onFree: () => this.scheduler?.dispatch(),
        onRestart: (reason) => this.#metrics.restarts.inc({ reason }),
        onRestartFailed: () => {
          if (!pool.isServing) this.scheduler?.refuseAll(unavailable);
        },
      },
    );
    return pool;
  }

  /** Starts as many inference processes as there is room for. @throws NoRoomError */
  #shareMemory(pool: ProcessPool, tokenizer: LoadedProcess, { rssBytes, model }: LoadedProcess): void {
    const { config, memory } = this.#options;
    const held = { tokenizerBytes: tokenizer.rssBytes, inferenceBytes: rssBytes };
    const { info, cost } = model as NonNullable<LoadedProcess['model']>;
    const room = memory.processesFor(held);
    const processes = config.workers ?? defaultWorkers(info.device, availableParallelism(), room);
    memory.join(this, { ...held, processes, cost, maxTokens: info.maxTokens });
    pool.growTo(processes);
    this.#metrics.loaded(memory.batches.mostBytes);
  }
}
