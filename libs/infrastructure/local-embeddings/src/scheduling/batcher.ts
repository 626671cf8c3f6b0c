import { type BatchLimits, FairQueue, type QueueItem } from './fair-queue.ts';
import type { EmbeddingJob } from './embedding-job.ts';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { Task, TaskResult, TaskType } from '../processes/process-protocol.ts';

/** A batch that runs. */
export interface BegunBatch<Type extends TaskType> {
  readonly task: Task<Type>;
  /** Called when it is over, however, and before its process is free again. */
  readonly end: () => void;
}

/** What a batcher sends to a process, and what becomes of the response. */
export interface BatchWork<Type extends TaskType> {
  readonly type: Type;
  readonly limits: BatchLimits;
  /** Begins a batch for which a process is free; undefined where it has to wait: the batcher asks again whenever it is to dispatch. */
  begin(items: readonly QueueItem[]): BegunBatch<Type> | undefined;
  /** The batch that waits is gone, or no process is free for it any more. */
  giveUp(): void;
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
  /** The batch that has to wait though a process is free. */
  #waiting: readonly QueueItem[] = [];
  #isDispatchDue = false;

  constructor(
    private readonly pool: ProcessPool,
    private readonly work: BatchWork<Type>,
  ) {}

  /** Inputs that wait for a process. */
  get length(): number {
    return this.#queue.length + this.#waiting.length;
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
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((item) => item.job !== job);
    if (this.#waiting.length > 0) return;
    this.work.giveUp();
    this.dispatch();
  }

  /** Hands batches to free processes while there are both. */
  dispatch(): void {
    while (this.pool.hasFree) {
      const batch = this.#waiting.length > 0 ? this.#waiting : this.#queue.take(this.work.limits);
      if (batch.length === 0) return;
      const begun = this.work.begin(batch);
      this.#waiting = begun ? [] : batch;
      if (!begun) return;
      void this.#run(batch, begun);
    }
    if (this.#waiting.length > 0) this.work.giveUp();
  }

  async #run(batch: readonly QueueItem[], { task, end }: BegunBatch<Type>): Promise<void> {
    try {
      const result = await this.pool.run(this.work.type, task, end);
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
