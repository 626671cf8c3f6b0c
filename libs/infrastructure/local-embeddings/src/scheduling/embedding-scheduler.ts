import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError, callStopped, LinkedList } from '@morgan/foundation';
import type { Admission } from './admission.ts';
import type { BatchMemory } from '../batch-memory.ts';
import { Batcher } from './batcher.ts';
import { type EmbeddedItem, EmbeddingJob, type JobRequest } from './embedding-job.ts';
import type { EmbeddingMetrics } from '../embedding-metrics.ts';
import type { QueueItem } from './queue-item.ts';
import type { InferenceWork } from './inference-work.ts';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { CutSide, EmbeddingInput, ItemFailure, TokenWindow } from '../processes/process-protocol.ts';
import { TokenLister } from './token-lister.ts';
import { readableIds, significantPart } from '../processes/text-window.ts';
import { TokenizeWork } from './tokenize-work.ts';

/** Characters of a token, for the estimate of what a text will take before it is tokenised. */
const CHARACTERS_PER_TOKEN = 4;

/** Longest text, its prompt included, that an inference process tokenises: less than a millisecond. */
const MOST_SHORT_CHARACTERS = 1_024;

/** Values of the vectors of all tokens of one call: 16 MB, some 45 MB as JSON. */
const MOST_TOKEN_VALUES = 4_194_304;

/**
 * Turns of the event loop until it is known which callers had left when a call came: their connections may stand behind its own, and
 * are closed a turn after their end was read.
 */
const TURNS_TO_LEAVE = 3;

/** What a scheduler works with. */
interface SchedulerParts {
  readonly tokenizers: ProcessPool;
  readonly inference: ProcessPool;
  readonly inferenceWork: InferenceWork;
  readonly tokenVectorWork: InferenceWork;
  /** Length of the vector of one token; 0 where the model shows none. */
  readonly tokenDimensions: number;
  readonly admission: Admission;
  readonly metrics: EmbeddingMetrics;
  /** Tokens that the model takes. */
  readonly maxTokens: number;
  readonly cutSide: CutSide;
  readonly memory: BatchMemory;
}

/**
 * Takes calls through their two stations: texts become token ids in one process, token ids vectors in others. Short texts need the
 * second only: messages between processes cost more than their tokens do. Long ones are tokenised where they hold up nobody else.
 */
export class EmbeddingScheduler {
  /** Lists tokens of texts. */
  readonly tokens: TokenLister;
  readonly #parts: SchedulerParts;
  readonly #jobs = new LinkedList<EmbeddingJob>();
  readonly #tokenizeWork: TokenizeWork;
  readonly #tokenizing: Batcher<'tokenize'>;
  readonly #inferring: Batcher<'run'>;
  readonly #inferringTokens: Batcher<'run'>;
  #tokensAreNext = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#tokenizeWork = new TokenizeWork(parts.maxTokens, parts.cutSide, (item, window) =>
      this.#tokenised(item, window),
    );
    this.tokens = new TokenLister(parts.tokenizers);
    this.#tokenizing = new Batcher(parts.tokenizers, this.#tokenizeWork);
    this.#inferring = new Batcher(parts.inference, parts.inferenceWork);
    this.#inferringTokens = new Batcher(parts.inference, parts.tokenVectorWork);
  }

  /** Inputs that wait at either station. */
  get length(): number {
    return this.#tokenizing.length + this.#inferring.length + this.#inferringTokens.length;
  }

  /** What of an input its vector depends on. */
  significantPart(input: EmbeddingInput): EmbeddingInput {
    return significantPart(input, this.#parts.maxTokens, this.#parts.cutSide);
  }

  /** One vector per input, in their order. @param signal what waits is dropped when it is aborted */
  async submit(request: JobRequest, signal: AbortSignal): Promise<EmbeddedItem[]> {
    const job = new EmbeddingJob(request);
    const isAdmitted = this.#isAdmitted(job);
    const leave = () => job.fail(callStopped(signal));
    signal.addEventListener('abort', leave, { once: true });
    const place = this.#jobs.append(job);
    try {
      if (!isAdmitted) await this.#admitLater(job);
      this.#start(job);
      return await job.done;
    } finally {
      signal.removeEventListener('abort', leave);
      this.#jobs.remove(place);
      this.#tokenizing.remove(job);
      this.#inferenceOf(job).remove(job);
      this.#parts.admission.forget(job);
    }
  }

  /** Hands out what waits: a process has become free. */
  dispatch(): void {
    this.tokens.dispatch();
    this.#tokenizing.dispatch();
    this.#tokensAreNext = !this.#tokensAreNext;
    if (this.#tokensAreNext) this.#inferringTokens.dispatch();
    this.#inferring.dispatch();
    this.#inferringTokens.dispatch();
    // Nothing else may have wanted the turn.
    this.tokens.dispatch();
  }

  /** Takes what a short text is to be fed as, where it was tokenised and not run. */
  accept(item: QueueItem, window: TokenWindow | ItemFailure): void {
    this.#tokenizeWork.deliver([item], { windows: [window] });
  }

  /** Refuses everything that is under way. */
  refuseAll(reason: () => AppError): void {
    for (const job of this.#jobs) job.fail(reason());
    this.tokens.refuseAll(reason);
  }

  #isAdmitted(job: EmbeddingJob): boolean {
    try {
      this.#admit(job);
      return true;
    } catch {
      return false;
    }
  }

  /** Nobody is refused for the sake of those who have left. */
  async #admitLater(job: EmbeddingJob): Promise<void> {
    // It may be over before anybody waits for its end.
    job.done.catch(() => undefined);
    for (let turn = 0; turn < TURNS_TO_LEAVE; turn += 1) await nextTurn();
    if (job.settled) return;
    try {
      this.#admit(job);
    } catch (error) {
      this.#parts.metrics.refused.inc({ reason: 'queue' });
      throw error;
    }
  }

  #admit(job: EmbeddingJob): void {
    const { inputs, query } = job.request;
    const tokens = inputs.reduce((sum, input) => sum + this.#estimate(input, query), 0);
    this.#parts.admission.admit(job, tokens);
  }

  #estimate(input: EmbeddingInput, query = ''): number {
    const tokens =
      typeof input === 'string'
        ? Math.ceil((input.length + query.length) / CHARACTERS_PER_TOKEN) + 2
        : input.length;
    return Math.min(tokens, this.#parts.maxTokens);
  }

  #start(job: EmbeddingJob): void {
    const { inputs, truncate, paramOf, query } = job.request;
    const { maxTokens } = this.#parts;
    const mostCharacters = this.#mostUnseen(job);
    const texts: QueueItem[] = [];
    const rows: QueueItem[] = [];
    for (const [position, input] of inputs.entries()) {
      if (job.settled) return;
      if (typeof input === 'string' && input.length <= mostCharacters) {
        const item = { job, position, size: this.#estimate(input) };
        if (this.#parts.inferenceWork.admits(item)) rows.push(item);
      } else if (typeof input === 'string') {
        texts.push({ job, position, size: this.#tokenizeWork.sizeOf(input, query) });
      } else if (input.length > maxTokens && !truncate) {
        job.fail(tooLong(paramOf(position), input.length, maxTokens));
      } else {
        const window = { row: { ids: readableIds(input, maxTokens) }, truncated: input.length > maxTokens };
        const item = this.#readyItem({ job, position, size: 0 }, window);
        if (item) rows.push(item);
      }
    }
    this.#tokenizing.add(texts);
    this.#inferenceOf(job).add(rows);
  }

  /** Characters up to which texts of a call are tokenised where they are run; -1: none is. */
  #mostUnseen({ request: { inputs, truncate, prompt = '', query, perToken } }: EmbeddingJob): number {
    if (query !== undefined || perToken) return -1;
    // Nothing of a call is to be run that will be refused, so all of it is looked at before where a text may be too long.
    const mayBeTooLong = (input: EmbeddingInput) =>
      typeof input === 'string' && prompt.length + input.length > this.#parts.maxTokens;
    if (!truncate && inputs.some(mayBeTooLong)) return -1;
    return MOST_SHORT_CHARACTERS - prompt.length;
  }

  #inferenceOf({ request }: EmbeddingJob): Batcher<'run'> {
    return request.perToken ? this.#inferringTokens : this.#inferring;
  }

  #tokenised(item: QueueItem, window: TokenWindow): void {
    const { job, position } = item;
    const { inputs, query } = job.request;
    const estimate = this.#estimate(inputs[position] as string, query);
    this.#parts.admission.adjust(job, window.row.ids.length - estimate);
    const ready = this.#readyItem(item, window);
    if (ready) this.#inferenceOf(job).add([ready]);
  }

  /** What goes on to the model, unless it has nothing to run or must not be run. */
  #readyItem({ job, position }: QueueItem, window: TokenWindow): QueueItem | undefined {
    const { maxTokens, inferenceWork, tokenVectorWork, tokenDimensions } = this.#parts;
    const { perToken } = job.request;
    const size = Math.min(window.row.ids.length, maxTokens);
    job.tokenised(position, window);
    if (size === 0 && typeof job.request.inputs[position] === 'string') {
      job.fail(noTokens(job.request.paramOf(position)));
      return undefined;
    }
    if (perToken && job.tokens * tokenDimensions > MOST_TOKEN_VALUES) {
      job.fail(tooManyTokens(Math.floor(MOST_TOKEN_VALUES / tokenDimensions)));
      return undefined;
    }
    const item = { job, position, size };
    return (perToken ? tokenVectorWork : inferenceWork).admits(item) ? item : undefined;
  }
}

function tooLong(param: string, count: number, limit: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `The input has ${count} tokens; the model takes at most ${limit}, and truncation is off.`,
    { param },
  );
}

/** There is nothing that a vector could be of: zeros would look like one. */
function noTokens(param: string): AppError {
  return new AppError('invalid_value', 'The input has no tokens for this model.', { param });
}

function tooManyTokens(limit: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `The inputs have more than ${limit} tokens together, which is the most whose vectors are given one by one.`,
    { param: 'inputs' },
  );
}
