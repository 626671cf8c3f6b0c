import type { BatchMemory } from '../batch-memory.ts';
import type { EmbeddingJob } from './embedding-job.ts';
import type { QueueItem } from './fair-queue.ts';
import type { InferenceWork } from './inference-work.ts';
import { ProcessCrashedError } from '../processes/model-process.ts';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { TokenWindow } from '../processes/process-protocol.ts';

/** Longest text, its prompt included, that an inference process tokenises: less than a millisecond. */
const MOST_CHARACTERS = 1_024;

/** After a crash texts go the long way for so long: it knows what ends processes by its tokens. */
const REST_MS = 10 * 60_000;

/** What lone texts are served with. */
export interface LoneTextParts {
  readonly inference: ProcessPool;
  readonly inferenceWork: InferenceWork;
  readonly memory: BatchMemory;
  /** Takes a text that was tokenised and not run: it has no tokens, too many, or needs more memory than there is. */
  readonly onTokenised: (item: QueueItem, window: TokenWindow) => void;
  /** Takes a text that is to be tried the long way. */
  readonly onFailed: (item: QueueItem) => void;
}

/**
 * The short way of a text that comes while nothing else is under way: one process makes its tokens and its vector, so that it
 * waits for two messages between processes and not for four. Texts that come together are better tokenised together, and
 * long ones where they hold up nobody else.
 */
export class LoneTexts {
  readonly #parts: LoneTextParts;
  #restsUntil = 0;

  constructor(parts: LoneTextParts) {
    this.#parts = parts;
  }

  /** Whether the call is one short text, and a process is free for it. */
  takes({ request: { inputs, prompt = '', query, perToken } }: EmbeddingJob): boolean {
    const [text] = inputs;
    return (
      inputs.length === 1 &&
      typeof text === 'string' &&
      text.length + prompt.length <= MOST_CHARACTERS &&
      query === undefined &&
      !perToken &&
      this.#parts.inference.free > 0 &&
      performance.now() >= this.#restsUntil
    );
  }

  /** Embeds the text of a call that is taken. */
  async embed(item: QueueItem): Promise<void> {
    const { inference, inferenceWork, memory, onTokenised, onFailed } = this.#parts;
    const { job, position } = item;
    const { inputs, promptName, prompt } = job.request;
    // What it needs is known to the process that makes its tokens: it gets what there is.
    const budgetBytes = memory.take(this, { leastBytes: 0, mostBytes: Infinity });
    if (budgetBytes === undefined) {
      memory.giveUp(this);
      return onFailed(item);
    }
    const text = { text: inputs[position] as string, more: false, promptName, prompt };
    try {
      const { window, run } = await inference.run('embed', { text, budgetBytes }, () =>
        memory.give(budgetBytes),
      );
      if (job.settled) return;
      if (!run) return onTokenised(item, window);
      job.tokenised(position, window);
      inferenceWork.deliver([{ ...item, size: window.row.ids.length }], run);
    } catch (error) {
      if (error instanceof ProcessCrashedError) this.#restsUntil = performance.now() + REST_MS;
      if (!job.settled && job.mayRetry(position)) onFailed(item);
    }
  }
}
