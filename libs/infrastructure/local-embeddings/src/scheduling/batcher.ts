import { type BatchLimits, FairQueue, type QueueItem } from './fair-queue.ts';
import type { EmbeddingJob } from './embedding-job.ts';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { Task, TaskResult, TaskType } from '../processes/process-protocol.ts';

/** What a batcher sends to a process, and what becomes of the response. */
export interface BatchWork<Type extends TaskType> {
  readonly type: Type;
  readonly limits: BatchLimits;
  taskOf(items: readonly QueueItem[]): Task<Type>;
  /** @returns items that are to be tried once more, alone */
  deliver(items: readonly QueueItem[], result: TaskResult<Type>): readonly QueueItem[];
  /** An item failed with others and then alone. */
  onFailed(item: QueueItem, cause: Error): void;
}

/**
 * Brings waiting inputs and processes together. A free process takes what waits, up to a batch, and never waits for more:
 * alone a text is not delayed, under load batches fill by themselves.
 */
export class Batcher<Type extends TaskType> {
  readonly #queue = new FairQueue();
  #isDispatchDue = false;

  constructor(
    private readonly pool: ProcessPool,
    private readonly work: BatchWork<Type>,
  ) {}

  /** Inputs that wait for a process. */
  get length(): number {
    return this.#queue.length;
  }

  /** What comes in one turn of the event loop leaves together: the first of it would otherwise be a batch of one. */
  add(items: readonly QueueItem[]): void {
    this.#queue.add(items);
    if (this.#isDispatchDue || items.length === 0) return;
    this.#isDispatchDue = true;
    setImmediate(() => {
      this.#isDispatchDue = false;
      this.dispatch();
    });
  }

  /** Drops what no process has begun of a job. */
  remove(job: EmbeddingJob): void {
    this.#queue.remove(job);
  }

  /** Hands batches to free processes while there are both. */
  dispatch(): void {
    while (this.pool.hasFree) {
      const batch = this.#queue.take(this.work.limits);
      if (batch.length === 0) return;
      void this.#run(batch);
    }
  }

  async #run(batch: readonly QueueItem[]): Promise<void> {
    try {
      const result = await this.pool.run(this.work.type, this.work.taskOf(batch));
      const again = this.work.deliver(batch, result);
      for (const item of again) this.#queue.putBack(item);
      if (again.length > 0) this.dispatch();
    } catch (error) {
      this.#failed(batch, error as Error);
    }
  }

  #failed(batch: readonly QueueItem[], cause: Error): void {
    for (const item of batch) {
      if (item.job.settled) continue;
      if (item.job.mayRetry(item.position)) this.#queue.putBack(item);
      else this.work.onFailed(item, cause);
    }
    this.dispatch();
  }
}
