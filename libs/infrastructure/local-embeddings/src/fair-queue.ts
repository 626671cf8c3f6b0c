import type { EmbeddingJob } from './embedding-job.ts';

/** One input of a job that waits. */
export interface QueueItem {
  readonly job: EmbeddingJob;
  readonly position: number;
  /** What it costs: characters before it is tokenised, tokens after that. */
  readonly size: number;
}

/** What one batch may hold; a single item may be larger than `size`. */
export interface BatchLimits {
  readonly items: number;
  readonly size: number;
}

/** Batches that may pass a job over before it goes first. */
const MOST_PASSED_OVER = 4;

/** The items of one job, the longest first, so that the shortest is taken from the end. */
interface Line {
  readonly items: QueueItem[];
  /** Size taken so far, counted from what others had taken when this job came. */
  served: number;
  passedOver: number;
}

/**
 * Inputs that wait, job by job. A batch takes one of every job, beginning with the job that has been served least and the
 * newest among equals, and then fills up with the shortest that follow: one text beside a call with two thousand waits
 * for one batch, and nobody is passed over for long.
 */
export class FairQueue {
  readonly #lines = new Map<EmbeddingJob, Line>();
  readonly #retries: QueueItem[] = [];
  #length = 0;

  /** Inputs that wait. */
  get length(): number {
    return this.#length;
  }

  add(items: readonly QueueItem[]): void {
    for (const item of items) this.#lineOf(item.job).items.push(item);
    for (const job of new Set(items.map((item) => item.job))) {
      this.#lineOf(job).items.sort((one, other) => other.size - one.size);
    }
    this.#length += items.length;
  }

  /** Drops what is left of a job. */
  remove(job: EmbeddingJob): void {
    this.#length -= this.#lines.get(job)?.items.length ?? 0;
    this.#lines.delete(job);
    for (let index = this.#retries.length - 1; index >= 0; index -= 1) {
      if (this.#retries[index]?.job !== job) continue;
      this.#retries.splice(index, 1);
      this.#length -= 1;
    }
  }

  /** Puts an item of a failed batch back, to be tried alone: a bad one then fails alone. */
  putBack(item: QueueItem): void {
    this.#retries.push(item);
    this.#length += 1;
  }

  /** The next batch; empty when nothing waits. */
  take(limits: BatchLimits): readonly QueueItem[] {
    const retry = this.#retries.shift();
    const batch = retry ? [retry] : this.#compose(limits);
    this.#length -= batch.length;
    return batch;
  }

  #compose(limits: BatchLimits): QueueItem[] {
    const lines = [...this.#lines].reverse().sort(([, one], [, other]) => byTurn(one, other));
    const batch: QueueItem[] = [];
    let size = 0;
    const takeOne = (line: Line): boolean => {
      const item = line.items.at(-1);
      if (!item || batch.length >= limits.items) return false;
      if (batch.length > 0 && size + item.size > limits.size) return false;
      line.items.pop();
      batch.push(item);
      line.served += item.size;
      size += item.size;
      return true;
    };
    for (const [, line] of lines) line.passedOver = takeOne(line) ? 0 : line.passedOver + 1;
    for (const [job, line] of lines) {
      while (takeOne(line));
      if (line.items.length === 0) this.#lines.delete(job);
    }
    return batch;
  }

  #lineOf(job: EmbeddingJob): Line {
    const known = this.#lines.get(job);
    if (known) return known;
    const others = [...this.#lines.values()].map(({ served }) => served);
    const line = { items: [], served: others.length > 0 ? Math.min(...others) : 0, passedOver: 0 };
    this.#lines.set(job, line);
    return line;
  }
}

function byTurn(one: Line, other: Line): number {
  const isLate = (line: Line) => line.passedOver >= MOST_PASSED_OVER;
  return Number(isLate(other)) - Number(isLate(one)) || one.served - other.served;
}
