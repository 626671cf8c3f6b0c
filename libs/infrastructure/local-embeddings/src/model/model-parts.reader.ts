import { posix } from 'node:path';
import type { ModelOptions, TokenRow } from './embedding-model.types.ts';
import { readExternalData } from './onnx-file/external-data.reader.ts';
import { chooseGraphFile, type GraphFile } from './plan/graph-file.chooser.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';
import type { ModelPlan } from './plan/model-plan.ts';
import { type NetworkConfig, networkConfig, positionsOf } from './plan/network-config.ts';
import { openFolder, readPlan } from './plan/plan.reader.ts';
import { TextTokenizer } from './tokenizer/text-tokenizer.ts';
import { readTokenTable, type TokenTable } from './plan/token-table.reader.ts';
import type { LimitSources } from './tokenizer/token-window.ts';

/** A text that a model is tried with. */
const SAMPLE = 'a sample of text';
/** A prompt may be longer than what the graph reads. */
export const NO_PROMPT = { prompt: '' };

/** What has been read of a folder before its graph is opened. */
export interface ModelParts {
  readonly folder: ModelFolder;
  readonly plan: ModelPlan;
  readonly options: ModelOptions;
  readonly config: NetworkConfig;
  readonly tokenizer: TextTokenizer;
  readonly graph: GraphFile;
  /** Of a static model, in place of a graph. */
  readonly table?: TokenTable | undefined;
  /** The files that the graph refers to. */
  readonly dataFiles: readonly string[];
  /** A text that is known to the tokenizer. */
  readonly sample: TokenRow;
}

/** Reads all that is needed for opening the graph. @throws ModelLoadError */
export async function readParts(path: string, options: ModelOptions): Promise<ModelParts> {
  const folder = openFolder(path);
  const plan = await readPlan(folder, options);
  if (plan.isTable) return readTableParts(folder, plan, options);
  const graph = chooseGraphFile(folder, plan.root, options);
  const config = await folder.read(posix.join(plan.root, 'config.json'), networkConfig);
  const dataFiles = await readExternalData(folder, graph.file);
  for (const file of dataFiles) {
    if (!folder.has(file)) throw new ModelLoadError(`${graph.file} has weights in ${file}, which is missing`);
    folder.checkFetched(file);
  }
  const tokenizer = await TextTokenizer.open(folder, plan);
  const [sample = { ids: [] }] = await tokenizer.tokenize([SAMPLE], NO_PROMPT);
  return { folder, plan, options, config: config ?? {}, tokenizer, graph, dataFiles, sample };
}

/** Of a static model. Any `config.json` beside it is that of another network. */
async function readTableParts(
  folder: ModelFolder,
  plan: ModelPlan,
  options: ModelOptions,
): Promise<ModelParts> {
  const table = await readTokenTable(folder, plan.root);
  const { file, dtype, tokens, dimensions } = table;
  if (options.dtype !== 'auto' && options.dtype !== dtype)
    throw new ModelLoadError(`${file} has ${dtype}, and EMBEDDING_DTYPE asks for ${options.dtype}`);
  if (plan.backend === 'sentence-transformers' && table.isOfModel2Vec)
    throw new ModelLoadError(
      `${file} has parts that sentence-transformers leaves out, or a number format that it does not open: choose the backend model2vec`,
    );
  const tokenizer = await TextTokenizer.open(folder, plan);
  if (tokenizer.vocabularySize > tokens)
    throw new ModelLoadError(
      `${file} has vectors of ${tokens} tokens, and tokenizer.json has ${tokenizer.vocabularySize}`,
    );
  const [sample = { ids: [] }] = await tokenizer.tokenize([SAMPLE], NO_PROMPT);
  const config = { vocab_size: tokens, hidden_size: dimensions, num_attention_heads: 0 };
  return { folder, plan, options, config, tokenizer, graph: { file, dtype }, table, dataFiles: [], sample };
}

/** What the files and the configuration say of the length of a text. */
export function limitSources({ plan, options, config, tokenizer }: ModelParts): LimitSources {
  return {
    tokenizer: tokenizer.settings.maxTokens,
    sentenceTransformers: plan.maxTokens,
    positions: positionsOf(config),
    configured: options.maxTokens,
    fallback: plan.fallbackTokens,
  };
}
