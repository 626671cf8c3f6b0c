import type { QueueItem } from './queue-item.ts';

/** Of the longest text of a batch, what all texts of a call have at most that is better run apart from it. */
const SHORT_SHARE = 1 / 4;

/**
 * The batches that a batch is to be run as where more than one process is free: calls with short texts only would wait for a text
 * that takes several times as long as theirs, and are not padded to its length anyway.
 */
export function apartFromLong(batch: readonly QueueItem[]): (readonly QueueItem[])[] {
  const longest = batch.reduce((size, item) => Math.max(size, item.size), 0);
  const isLong = (item: QueueItem) => item.size > longest * SHORT_SHARE;
  const withLong = new Set(batch.filter(isLong).map(({ job }) => job));
  const short = batch.filter(({ job }) => !withLong.has(job));
  return short.length === 0 ? [batch] : [short, batch.filter(({ job }) => withLong.has(job))];
}
