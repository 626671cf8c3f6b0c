import { executionAsyncResource } from 'node:async_hooks';

/** Never looked at: that it is there is all. */
const kept: object[] = [];

/**
 * Keeps one of the objects that `process.nextTick` makes. After a full collection that finds none of them V8 has forgotten their
 * shape, and making one costs seven times as much for the rest of the process's life, nine times in each request
 * (docs/performance.md). The collection of an idle service always finds none.
 */
export function keepTickShape(): void {
  process.nextTick(() => kept.push(executionAsyncResource()));
}
