import type { BatchCost } from './batch-cost.ts';
import type {
  ModelInfo,
  ModelOptions,
  PromptChoice,
  TokenRow,
  VectorBatch,
} from '../model/embedding-model.types.ts';
import type { PackedTokens } from './packed-tokens.ts';

/** Where a model drops what is too much of a text. */
export type CutSide = 'left' | 'right';

/** What a model process is started with. */
export interface ProcessOptions {
  /** Where the files of the model are. */
  readonly folder: string;
  readonly model: ModelOptions;
}

/** A tokenizer process makes token ids of texts, an inference process makes vectors of token ids. */
export type ProcessRole = 'tokenizer' | 'inference';

/** A text, or the token ids of one. */
export type EmbeddingInput = string | readonly number[];

/** As much of a text as can matter. */
export interface TextPart extends PromptChoice {
  readonly text: string;
  /** Whether the text goes on. */
  readonly more: boolean;
  /** What stands before it in the same row, where the model reads pairs. */
  readonly query?: TextPart | undefined;
}

/** What the model is fed for an input. */
export interface TokenWindow {
  readonly row: TokenRow;
  /** Whether the input has more tokens than the model takes. */
  readonly truncated: boolean;
}

/** Why one item of a task has no result. */
export interface ItemFailure {
  readonly failure: string;
  /** Those of its prompt, where that is all that fits. */
  readonly promptTokens?: number | undefined;
  /** Whether it is the query before the text that has none. */
  readonly ofQuery?: boolean | undefined;
}

/** Memory that a process holds, in bytes. */
export interface MemoryReading {
  readonly rssBytes: number;
  /** Of it pages of files, such as weights that are read where they are: the system takes them back when it needs room. */
  readonly fileBytes: number;
}

/** A text of a batch that was tokenised and not run: it has no tokens, too many, or more than there was room for. */
export interface UnrunText {
  readonly place: number;
  readonly window: TokenWindow | ItemFailure;
}

/** What an inference process makes of a batch: of the rows that were run, in their order, and of all others. */
export interface InferenceResult extends Omit<VectorBatch, 'vectors'> {
  readonly vectors: Float32Array;
  /** Tokens of each row. */
  readonly lengths: readonly number[];
  readonly unrun: readonly UnrunText[];
  readonly inferenceMs: number;
}

/** Every task that a model process takes: what is asked, and what is answered. */
export interface ProcessTasks {
  readonly tokenize: {
    readonly task: { readonly texts: readonly TextPart[]; readonly limit: number };
    readonly result: { readonly windows: readonly (TokenWindow | ItemFailure)[] };
  };
  readonly list: {
    readonly task: { readonly texts: readonly string[]; readonly specials: boolean; readonly most: number };
    /** None where there are more than `most` tokens together. */
    readonly result: { readonly lists: readonly PackedTokens[] | undefined };
  };
  readonly run: {
    readonly task: {
      /** Short texts may come as they are. */
      readonly rows: readonly (TokenRow | TextPart)[];
      readonly budgetBytes: number;
      /** Above it no text is added to what is run. */
      readonly mostTokens: number;
      /** Whether the vectors of all tokens are wanted, and not one for each row. */
      readonly perToken: boolean;
    };
    readonly result: InferenceResult;
  };
  readonly memory: { readonly task: object; readonly result: MemoryReading };
}

export type TaskType = keyof ProcessTasks;
export type Task<Type extends TaskType> = ProcessTasks[Type]['task'];
export type TaskResult<Type extends TaskType> = ProcessTasks[Type]['result'];

/** What a process says of itself once it has loaded. */
export interface LoadedProcess extends MemoryReading {
  /** SHA-256 over the files that it has read. */
  readonly digest: string;
  /** Where the model drops what is too much of a text; tokenizer processes know. */
  readonly cutSide?: CutSide | undefined;
  /** What inference processes know. */
  readonly model?: { readonly info: ModelInfo; readonly cost: BatchCost } | undefined;
}

/** Main process to model process. */
export type ProcessRequest =
  | { readonly type: 'load'; readonly role: ProcessRole; readonly options: ProcessOptions }
  | { [Type in TaskType]: { readonly type: Type; readonly id: number } & Task<Type> }[TaskType];

/** Model process to main process. */
export type ProcessReply =
  | { readonly type: 'loaded'; readonly loaded: LoadedProcess }
  | { readonly type: 'load-failed'; readonly reason: string }
  | { readonly type: 'result'; readonly id: number; readonly result: TaskResult<TaskType> }
  | { readonly type: 'task-failed'; readonly id: number; readonly reason: string }
  /** It ends, whatever it is at. */
  | { readonly type: 'giving-up'; readonly reason: string };
