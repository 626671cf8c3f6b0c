import type { EmbeddingJob } from './embedding-job.ts';

/** Some texts of some jobs, on their way to a worker together. */
export interface Batch {
  readonly parts: readonly { readonly job: EmbeddingJob; readonly position: number }[];
}

/**
 * Texts that wait, job by job. A batch takes from the jobs in turn, so that one text behind a call with two thousand
 * waits for one batch, not for all of them.
 */
export class BatchQueue {
  readonly #jobs: EmbeddingJob[] = [];
  #length = 0;

  /** Texts that wait. */
  get length(): number {
    return this.#length;
  }

  add(job: EmbeddingJob): void {
    this.#jobs.push(job);
    this.#length += job.waiting.length;
  }

  /** Takes out what is left of a job. */
  remove(job: EmbeddingJob): void {
    const index = this.#jobs.indexOf(job);
    if (index < 0) return;
    this.#jobs.splice(index, 1);
    this.#length -= job.waiting.length;
    job.waiting.length = 0;
  }

  /** Puts a text of a failed batch back, to be tried alone. */
  putBack(job: EmbeddingJob, position: number): void {
    job.isolated = true;
    job.waiting.unshift(position);
    this.#length += 1;
    if (!this.#jobs.includes(job)) this.#jobs.unshift(job);
  }

  /** The next batch of at most `size` texts, or undefined when nothing waits. */
  take(size: number): Batch | undefined {
    const parts: { job: EmbeddingJob; position: number }[] = [];
    while (parts.length < size) {
      const job = this.#jobs[0];
      if (!job || (parts.length > 0 && job.isolated)) break;
      const room = job.isolated ? 1 : size - parts.length;
      for (const position of job.waiting.splice(0, room)) parts.push({ job, position });
      this.#jobs.shift();
      if (job.waiting.length > 0) this.#jobs.push(job);
      if (job.isolated) break;
    }
    this.#length -= parts.length;
    return parts.length > 0 ? { parts } : undefined;
  }
}
