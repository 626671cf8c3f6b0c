import type { Backend, PoolingMode, SimilarityMetric } from '../embedding-model.types.ts';

/** One step after the graph. */
export type VectorModule =
  PoolingModule | DenseModule | LayerNormModule | { readonly type: 'normalize' | 'dropout' | 'logit' };

export interface PoolingModule {
  readonly type: 'pooling';
  /** Several are concatenated in this order. */
  readonly modes: readonly PoolingMode[];
  /** Whether the tokens of a prompt count. */
  readonly includePrompt: boolean;
}

export interface DenseModule {
  readonly type: 'dense';
  /** Folder of its weights. */
  readonly path: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly activation: ActivationName;
  readonly residual: boolean;
}

export interface LayerNormModule {
  readonly type: 'layer-norm';
  readonly path: string;
  readonly dimension: number;
}

/** Activations of a Dense module, by the name of their class in torch. */
export const ACTIVATIONS = ['Identity', 'Tanh', 'ReLU', 'GELU', 'Sigmoid', 'SiLU'] as const;
export type ActivationName = (typeof ACTIVATIONS)[number];

/** Whether its pooling leaves out the tokens of a prompt. */
export function leavesPromptOut({ modules }: Pick<ModelPlan, 'modules'>): boolean {
  return modules.some((module) => module.type === 'pooling' && !module.includePrompt);
}

/** What a folder, together with the configuration, says about how vectors are made. */
export interface ModelPlan {
  readonly backend: Backend;
  /** Folder of configuration, tokenizer and graph, relative to the model's; '' as a rule. */
  readonly root: string;
  readonly modules: readonly VectorModule[];
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPrompt?: string | undefined;
  /** Whether the vectors of tokens are looked up in a table, and no network is run. */
  readonly isTable?: boolean | undefined;
  /** Whether tokens that the vocabulary does not have are left out. */
  readonly dropsUnknown?: boolean | undefined;
  /** The limit of tokens that the folder states besides its tokenizer and `config.json`. */
  readonly maxTokens?: number | undefined;
  /** The limit where nothing states any, if it is known what is usual. */
  readonly fallbackTokens?: number | undefined;
  readonly lowerCase: boolean;
  readonly paddingSide?: 'left' | 'right' | undefined;
  readonly truncationSide?: 'left' | 'right' | undefined;
  readonly truncateDimensions?: number | undefined;
  /** How its vectors are to be compared, where the folder says it. */
  readonly similarity?: SimilarityMetric | undefined;
  /** Output of the graph that the folder names. */
  readonly output?: string | undefined;
  /** Name of the model where it is known to have a Dense behind its pooling, of which the folder does not speak. */
  readonly lacksDense?: string | undefined;
  /** What had to be guessed. */
  readonly notes: readonly string[];
  /** Settings and weights that are read besides the graph and its tokenizer. */
  readonly files: readonly string[];
}
