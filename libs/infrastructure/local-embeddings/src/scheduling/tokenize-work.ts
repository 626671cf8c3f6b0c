import { AppError } from '@morgan/foundation';
import type { BatchWork, BegunBatch } from './batcher.ts';
import type { QueueItem } from './queue-item.ts';
import type { CutSide, ItemFailure, TaskResult, TokenWindow } from '../processes/process-protocol.ts';
import { readableCharacters, readablePart } from '../processes/text-window.ts';

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

  /** What tokenising a text, and the query beside it, costs at most, in characters. */
  sizeOf(text: string, query = ''): number {
    const readable = readableCharacters(this.limit);
    return Math.min(text.length, readable) + Math.min(query.length, readable);
  }

  begin(items: readonly QueueItem[]): BegunBatch<'tokenize'> {
    const textOf = ({ job, position }: QueueItem) => job.request.inputs[position] as string;
    // The texts of a call share one object, which is sent, and tokenised, once.
    const queries = new Map(
      items
        .map(({ job }) => [job, job.request.query] as const)
        .map(([job, query]) => [
          job,
          query === undefined ? undefined : readablePart(query, this.limit, this.side),
        ]),
    );
    const texts = items.map((item) => ({
      ...readablePart(textOf(item), this.limit, this.side),
      promptName: item.job.request.promptName,
      prompt: item.job.request.prompt,
      query: queries.get(item.job),
    }));
    return { task: { texts, limit: this.limit }, end: () => undefined };
  }

  /** None has to wait. */
  giveUp(): void {}

  deliver(items: readonly QueueItem[], { windows }: TaskResult<'tokenize'>): readonly QueueItem[] {
    items.forEach((item, index) => {
      const window = windows[index] as TaskResult<'tokenize'>['windows'][number];
      if (item.job.settled) return;
      if ('failure' in window) return this.#refuse(item, window);
      const { truncate, paramOf, query } = item.job.request;
      const alone = window.row.promptTokens ? 'The input and its prompt have' : 'The input has';
      const what = query === undefined ? alone : 'The query and this text have';
      if (window.truncated && !truncate)
        return item.job.fail(tooLong(what, paramOf(item.position), this.limit));
      this.onWindow(item, window);
    });
    return [];
  }

  onFailed({ job, position }: QueueItem, cause: Error): void {
    const param = job.request.paramOf(position);
    job.fail(new AppError('inference_failed', 'The tokenizer failed on this input twice.', { param, cause }));
  }

  #refuse({ job, position }: QueueItem, { failure, promptTokens, ofQuery }: ItemFailure): void {
    const { inputs, paramOf, query = '' } = job.request;
    const [what, text] = ofQuery ? ['query', query] : ['input', inputs[position] as string];
    const message =
      promptTokens === undefined
        ? `The ${what} of ${text.length} characters cannot be tokenised: ${failure}.`
        : `The prompt before the input has ${promptTokens} tokens, and the model takes ${this.limit}: that leaves no room for the input.`;
    job.fail(new AppError('invalid_value', message, { param: ofQuery ? 'query' : paramOf(position) }));
  }
}

function tooLong(what: string, param: string, limit: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `${what} more than ${limit} tokens; the model takes at most ${limit}, and truncation is off.`,
    { param },
  );
}
