import type { BatchLimits } from './batch-composition.ts';
import { FairQueue } from './fair-queue.ts';
import type { QueueItem } from './queue-item.ts';
import type { EmbeddingJob } from './embedding-job.ts';
import { ProcessCrashedError } from '../processes/model-process.ts';
import { apartFromLong } from './short-calls.ts';
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
  /** Batches that are to begin before anything else is taken; the first of them waits for more than a free process. */
  #next: (readonly QueueItem[])[] = [];
  #isDispatchDue = false;

  constructor(
    private readonly pool: ProcessPool,
    private readonly work: BatchWork<Type>,
  ) {}

  /** Inputs that wait for a process. */
  get length(): number {
    return this.#next.reduce((sum, batch) => sum + batch.length, this.#queue.length);
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
    const first = this.#next[0];
    if (!first) return;
    this.#next = this.#next
      .map((batch) => batch.filter((item) => item.job !== job))
      .filter((batch) => batch.length > 0);
    if (first.some((item) => item.job !== job)) return;
    this.work.giveUp();
    this.dispatch();
  }

  /** Hands batches to free processes while there are both. */
  dispatch(): void {
    while (this.pool.free > 0) {
      if (this.#next.length === 0) this.#next = this.#take();
      const batch = this.#next[0];
      if (!batch) return;
      const begun = this.work.begin(batch);
      if (!begun) return;
      this.#next.shift();
      void this.#run(batch, begun);
    }
    if (this.#next.length > 0) this.work.giveUp();
  }

  #take(): (readonly QueueItem[])[] {
    const batch = this.#queue.take(this.work.limits);
    if (batch.length === 0) return [];
    return this.pool.free > 1 ? apartFromLong(batch) : [batch];
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
    // A process that gives up by itself says nothing about them, and each of several may do so in its turn.
    const isOfProcess = cause instanceof ProcessCrashedError && !cause.mayBeOfInput;
    for (const item of batch) {
      if (item.job.settled) continue;
      if (isOfProcess || item.job.mayRetry(item.position)) this.#queue.putBack(item);
      else this.work.onFailed(item, cause);
    }
    this.dispatch();
  }
}
