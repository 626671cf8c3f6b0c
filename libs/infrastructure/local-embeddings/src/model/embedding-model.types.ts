/** How the vectors of a text's tokens become one; the names are those of sentence-transformers. */
export const POOLING_MODES = [
  'cls',
  'max',
  'mean',
  'mean_sqrt_len_tokens',
  'weightedmean',
  'lasttoken',
] as const;
export type PoolingMode = (typeof POOLING_MODES)[number];

/** How two vectors are compared; the names are those of sentence-transformers. */
export const SIMILARITY_METRICS = ['cosine', 'dot', 'euclidean', 'manhattan'] as const;
export type SimilarityMetric = (typeof SIMILARITY_METRICS)[number];

/** Who says how a graph's outputs become vectors. */
export const BACKENDS = [
  'sentence-transformers',
  'transformers',
  'onnx',
  'fastembed',
  'model2vec',
  'cross-encoder',
] as const;
export type Backend = (typeof BACKENDS)[number];

/** What a model is for: vectors of texts, or scores of how well texts answer a query. */
export type ModelKind = 'embedding' | 'ranking';

/** Where a graph can run. */
export const DEVICES = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof DEVICES)[number];

/** What a caller says about a graph that no file of the folder says. */
export interface GraphSettings {
  /** The ONNX file, relative to the folder. */
  readonly file?: string | undefined;
  /** `<what it takes>=<name of the input>`, such as `input_ids=tokens`, or `4=task_id`. */
  readonly inputs?: readonly string[] | undefined;
  /** Name of the output that is used. */
  readonly output?: string | undefined;
  /** How token vectors become one; several are concatenated. Refused where the folder says it itself. */
  readonly pooling?: readonly PoolingMode[] | undefined;
  /** Whether vectors are scaled to length 1. Refused where the folder says it itself. */
  readonly normalize?: boolean | undefined;
}

/** How a model folder is to be opened. */
export interface ModelOptions {
  readonly backend: Backend | 'auto';
  readonly device: Device | 'auto';
  readonly dtype: string;
  /** Threads that the graph computes with on the CPU. */
  readonly threads: number;
  /** An upper bound for the tokens of a text, below the model's own limit. */
  readonly maxTokens?: number | undefined;
  /** Values of a vector that are kept, as for Matryoshka models; more than the model has is refused. */
  readonly truncateDimensions?: number | undefined;
  /** The prompt that stands before texts where a call names none. Default: what the folder says. */
  readonly promptName?: string | undefined;
  readonly graph?: GraphSettings | undefined;
  /** Memory that the run which measures the limit may take, in bytes. Default 512 MiB. */
  readonly measureBytes?: number | undefined;
  /** Whether the runtime keeps memory between runs: faster, never given back. Default true. A graph whose attention is run in blocks always does. */
  readonly memoryArena?: boolean | undefined;
}

/** What a loaded model is like. Everything in it that changes vectors is part of cache keys. */
export interface ModelInfo {
  readonly backend: Backend;
  readonly device: Device;
  readonly dtype: string;
  /** Length of a vector; 1 for a cross-encoder, whose vector is the score. */
  readonly dimensions: number;
  /** Length of the vector of one token; none where the graph pools by itself and shows no vectors of tokens. */
  readonly tokenDimensions?: number | undefined;
  /** The lengths that the model was trained to be cut to, the longest first, where its files say any. */
  readonly cutDimensions?: readonly number[] | undefined;
  /** How its vectors are to be compared, where its files say it. */
  readonly similarity?: SimilarityMetric | undefined;
  /** Tokens that a text may have, special tokens included. */
  readonly maxTokens: number;
  /** Tokens that every row is padded to, where the graph takes no other length. */
  readonly rowTokens?: number | undefined;
  /** How attention is run for texts that have more tokens than a block has rows; undefined where all of it is there at once. */
  readonly attentionBlocks?: AttentionBlocks | undefined;
  /** Where a text is cut that has more. */
  readonly cutSide: 'left' | 'right';
  /** Whether the graph has run at `maxTokens`, or a run would have taken more than `measureBytes`, or too long. */
  readonly limitMeasured: boolean;
  readonly vocabularySize: number;
  /** How token vectors become one, joined by `+`; `model` when the graph does it itself. */
  readonly pooling: string;
  /** The output of the graph that is used. */
  readonly output: string;
  /** The steps after the graph, in order. */
  readonly modules: readonly string[];
  /** Texts that can be put before an input, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The prompt that stands before every text unless a call names another. */
  readonly defaultPrompt?: string | undefined;
  /** `native` is the Rust library, `javascript` the one that serves where it has no binary. */
  readonly tokenizer: 'native' | 'javascript';
  /** SHA-256 over every file that the vectors depend on. */
  readonly digest: string;
  /** Size of the graph and its data files. */
  readonly weightsBytes: number;
  /** Shape of the network where `config.json` says it: what a run costs can be estimated from it. */
  readonly shape: ModelShape;
  /** Whether a text has the same vector in any batch. Where it has not, each is run alone. */
  readonly batchable: boolean;
  /** What had to be guessed, one sentence each. */
  readonly notes: readonly string[];
}

/** Attention that is run for some rows, of all tokens, at a time. */
export interface AttentionBlocks {
  readonly rows: number;
  /** Values that are there for each pair of tokens all the same: masks, and what is added to scores. */
  readonly valuesPerPair: number;
}

/** The figures that memory and time of a run depend on. */
export interface ModelShape {
  readonly heads?: number | undefined;
  readonly hiddenSize?: number | undefined;
}

/** The token ids of one text. */
export interface TokenRow {
  readonly ids: readonly number[];
  /** How many of them, at the start, are special tokens and the prompt. Default 0. */
  readonly promptTokens?: number | undefined;
  /** The types of its tokens. Default: as `secondFrom` says. */
  readonly types?: readonly number[] | undefined;
  /** Where the tokens begin that belong to the second text of a pair. Default: there is none. */
  readonly secondFrom?: number | undefined;
}

/** A row whose vector is no vector. */
export interface VectorFault {
  readonly row: number;
  /** Which value, and where it came from. Never the text. */
  readonly reason: string;
}

/** What came out of a batch. */
export interface VectorBatch {
  /** Row after row; rows of `faults` hold zeros. */
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly faults: readonly VectorFault[];
}

/** What stands before every text of a call; neither means the model's default prompt. */
export interface PromptChoice {
  /** One of the model's prompts. */
  readonly promptName?: string | undefined;
  /** The prompt itself, empty for none. Stronger than a name. */
  readonly prompt?: string | undefined;
}
