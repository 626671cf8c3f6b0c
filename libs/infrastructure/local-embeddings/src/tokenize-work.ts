import { AppError } from '@morgan/foundation';
import type { BatchWork } from './batcher.ts';
import type { QueueItem } from './fair-queue.ts';
import type { Task, TaskResult, TokenWindow } from './process-protocol.ts';
import { type CutSide, readableCharacters, readablePart } from './text-window.ts';

/** Texts that wait to be tokenised: what bounds a batch is the time that its worst text can take. */
const LIMITS = { items: 64, size: 65_536 };

/** Makes token ids of texts. */
export class TokenizeWork implements BatchWork<'tokenize'> {
  readonly type = 'tokenize';
  readonly limits = LIMITS;

  /**
   * @param limit tokens that the model takes
   * @param side where the model drops what is too much
   * @param onWindow called with what the model is to be fed for an input
   */
  constructor(
    private readonly limit: number,
    private readonly side: CutSide,
    private readonly onWindow: (item: QueueItem, window: TokenWindow) => void,
  ) {}

  /** What tokenising a text costs at most, in characters. */
  sizeOf(text: string): number {
    return Math.min(text.length, readableCharacters(this.limit));
  }

  taskOf(items: readonly QueueItem[]): Task<'tokenize'> {
    const textOf = ({ job, position }: QueueItem) => job.request.inputs[position] as string;
    const texts = items.map((item) => ({
      ...readablePart(textOf(item), this.limit, this.side),
      promptName: item.job.request.promptName,
      prompt: item.job.request.prompt,
    }));
    return { texts, limit: this.limit };
  }

  deliver(items: readonly QueueItem[], { windows }: TaskResult<'tokenize'>): void {
    items.forEach((item, index) => {
      const window = windows[index] as TaskResult<'tokenize'>['windows'][number];
      if (item.job.settled) return;
      if ('failure' in window) return this.#refuse(item, window.failure);
      const { truncate, paramOf } = item.job.request;
      if (window.truncated && !truncate) return item.job.fail(tooLong(paramOf(item.position), this.limit));
      this.onWindow(item, window);
    });
  }

  onFailed({ job, position }: QueueItem, cause: Error): void {
    const param = job.request.paramOf(position);
    job.fail(new AppError('inference_failed', 'The tokenizer failed on this input twice.', { param, cause }));
  }

  #refuse({ job, position }: QueueItem, failure: string): void {
    const { inputs, paramOf } = job.request;
    const { length } = inputs[position] as string;
    const message = `The input has ${length} characters and cannot be tokenised: ${failure}.`;
    job.fail(new AppError('invalid_value', message, { param: paramOf(position) }));
  }
}

function tooLong(param: string, limit: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `The input has more than ${limit} tokens; the model takes at most ${limit}, and truncation is off.`,
    { param },
  );
}
