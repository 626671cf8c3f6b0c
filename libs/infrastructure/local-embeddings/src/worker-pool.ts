import type { Logger } from '@morgan/foundation';
import { InferenceWorker, type WorkerCrashedError } from './inference-worker.ts';
import type { ModelInfo } from './model/embedding-model.types.ts';
import type { BatchItem, BatchResult, WorkerOptions } from './worker-protocol.ts';

const FIRST_RESTART_DELAY_MS = 100;
const LONGEST_RESTART_DELAY_MS = 10_000;

/** Told of changes in a pool. */
export interface PoolEvents {
  /** A worker is free. */
  onFree(): void;
  onRestart(): void;
  /** A crashed worker could not be replaced: the model no longer loads. */
  onRestartFailed(error: Error): void;
}

/** Keeps the wanted number of inference workers alive and hands out the free ones. */
export class WorkerPool {
  readonly #workers = new Set<InferenceWorker>();
  readonly #free: InferenceWorker[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  /** Crashes and failed loads since the last batch that went well. */
  #failuresInARow = 0;
  #stopping = false;

  constructor(
    private readonly options: WorkerOptions,
    private readonly size: number,
    private readonly logger: Logger,
    private readonly events: PoolEvents,
  ) {}

  get alive(): number {
    return this.#workers.size;
  }

  get hasFree(): boolean {
    return this.#free.length > 0;
  }

  /** Starts the workers: the first one alone, so that a model that does not load fails once. @throws ModelLoadError */
  async start(): Promise<ModelInfo> {
    const info = await this.#launch();
    await Promise.all(Array.from({ length: this.size - 1 }, () => this.#launch()));
    return info;
  }

  /** Runs a batch on a free worker; call it only while `hasFree`. */
  async run(items: readonly BatchItem[]): Promise<BatchResult> {
    const worker = this.#free.shift();
    if (!worker) throw new Error('no inference worker is free');
    try {
      const result = await worker.run(items);
      this.#failuresInARow = 0;
      return result;
    } finally {
      if (this.#workers.has(worker)) {
        this.#free.push(worker);
        this.events.onFree();
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    this.#workers.clear();
    this.#free.length = 0;
  }

  async #launch(): Promise<ModelInfo> {
    const worker: InferenceWorker = new InferenceWorker(this.options, (error) =>
      this.#replace(worker, error),
    );
    const info = await worker.loaded();
    if (this.#stopping) {
      await worker.stop();
      return info;
    }
    this.#workers.add(worker);
    this.#free.push(worker);
    this.events.onFree();
    return info;
  }

  #replace(worker: InferenceWorker, error: WorkerCrashedError): void {
    if (!this.#workers.delete(worker) || this.#stopping) return;
    const index = this.#free.indexOf(worker);
    if (index >= 0) this.#free.splice(index, 1);
    this.logger.error({ error }, 'an inference worker crashed; it is being restarted');
    this.#restart();
  }

  #restart(): void {
    const delayMs = Math.min(FIRST_RESTART_DELAY_MS * 2 ** this.#failuresInARow, LONGEST_RESTART_DELAY_MS);
    this.#failuresInARow += 1;
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.events.onRestart();
      this.#launch().catch((error: Error) => {
        this.logger.error({ error }, 'an inference worker could not be restarted');
        this.events.onRestartFailed(error);
        if (!this.#stopping) this.#restart();
      });
    }, delayMs);
    this.#restarts.add(timer);
  }
}
