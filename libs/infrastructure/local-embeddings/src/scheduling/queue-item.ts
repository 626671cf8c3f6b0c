import type { EmbeddingJob } from './embedding-job.ts';

/** One input of a job that waits. */
export interface QueueItem {
  readonly job: EmbeddingJob;
  readonly position: number;
  /** What it costs: characters before it is tokenised, tokens after that. */
  readonly size: number;
}
