import type { GraphSettings } from '../embedding-model.types.ts';
import type { GraphOutput } from './graph-runner.ts';
import { ModelLoadError } from '../model-load-error.ts';
import type { ModelPlan, VectorModule } from '../plan/model-plan.ts';

/** What is taken from the graph, and what is still to be done with it. */
export interface ChosenOutput {
  readonly name: string;
  /** Whether the graph pools by itself: one vector per text comes out, not one per token. */
  readonly pooled: boolean;
  readonly modules: readonly VectorModule[];
}

type Outputs = ReadonlyMap<string, Pick<GraphOutput, 'dims'>>;

const TOKENS = 3;
const VECTORS = 2;
const TOKEN_NAMES = ['last_hidden_state', 'token_embeddings'];
const VECTOR_NAMES = ['sentence_embedding', 'embeddings', 'sentence_embeddings', 'text_embeds', 'embedding'];
/** Made for classification: the first token through a layer of its own, not what models are compared by. */
export const CLASSIFIER_NAME = 'pooler_output';
/** What exporters of sentence-transformers call the vector behind all modules. */
const WHOLE_MODEL = 'sentence_embedding';
/** Scores of labels or of the words of a vocabulary, and what is searched by in another way than by one vector for each text. */
const OTHER_NAMES = /logits|sparse|lexical|colbert/i;

/** What tells scores of all words of a vocabulary from vectors, whatever they are called. */
interface ModelWidths {
  readonly vocab_size?: number | undefined;
  readonly hidden_size?: number | undefined;
}

/** Chooses by what a first run gave. @throws ModelLoadError that lists the outputs and what would settle it */
export function chooseOutput(
  outputs: Outputs,
  plan: ModelPlan,
  graph: GraphSettings = {},
  widths: ModelWidths = {},
): ChosenOutput {
  const name = graph.output ?? namedOutput(outputs, plan) ?? guessOutput(outputs, plan, widths);
  const rank = name === undefined ? undefined : outputs.get(name)?.dims.length;
  if (name === undefined || (rank !== TOKENS && rank !== VECTORS)) {
    const wanted =
      name === undefined ? 'none of them is known to be the vectors' : `there is no usable "${name}"`;
    throw new ModelLoadError(
      `the graph has the outputs ${describe(outputs)}; ${wanted}. EMBEDDING_GRAPH_OUTPUT names the right one`,
    );
  }
  if (rank === TOKENS && plan.modules.length === 0)
    throw new ModelLoadError(
      `the output "${name}" has one vector per token, where a cross-encoder has one score`,
    );
  if (rank === TOKENS) return { name, pooled: false, modules: plan.modules };
  return { name, pooled: true, modules: modulesAfter(name, outputs, plan) };
}

/** What the folder names, if it is not just the default of every folder. */
function namedOutput(outputs: Outputs, { output }: ModelPlan): string | undefined {
  return output !== undefined && (outputs.has(output) || !TOKEN_NAMES.includes(output)) ? output : undefined;
}

function guessOutput(outputs: Outputs, { notes }: ModelPlan, widths: ModelWidths): string | undefined {
  const ofRank = (rank: number) =>
    [...outputs]
      .filter(
        ([name, { dims }]) => dims.length === rank && !OTHER_NAMES.test(name) && !isOfWords(dims, widths),
      )
      .map(([name]) => name);
  const known = (names: readonly string[], usual: readonly string[]) =>
    usual.find((name) => names.includes(name));
  const only = (names: readonly string[]) => (names.length === 1 ? names[0] : undefined);
  const [tokens, all] = [ofRank(TOKENS), ofRank(VECTORS)];
  const vectors = all.filter((name) => name !== CLASSIFIER_NAME);
  const [ofTokens, ofTexts] = [known(tokens, TOKEN_NAMES), known(vectors, VECTOR_NAMES)];
  // Where the folder or the configuration says how to pool, tokens are what it speaks of.
  if (notes.length === 0) return ofTokens ?? only(tokens) ?? ofTexts ?? only(vectors);
  if (ofTexts !== undefined) return ofTexts;
  // Beside vectors of tokens, one of unknown meaning may be made for classification as well.
  if (vectors.length > 0) return only([...vectors, ...tokens]);
  return ofTokens ?? only(tokens) ?? only(all);
}

function isOfWords(
  dims: readonly number[],
  { vocab_size: words, hidden_size: hidden }: ModelWidths,
): boolean {
  return words !== undefined && words !== hidden && dims.at(-1) === words;
}

/** A graph that pools may do further steps itself; the length of its vectors tells where a Dense has been. */
function modulesAfter(name: string, outputs: Outputs, { modules }: ModelPlan): readonly VectorModule[] {
  const rest = modules.filter(({ type }) => type !== 'pooling');
  const shaping = rest.filter((module) => module.type === 'dense' || module.type === 'layer-norm');
  const [first, last] = [shaping[0], shaping.at(-1)];
  if (!first || !last) return rest;
  const size = outputs.get(name)?.dims.at(-1);
  const before = first.type === 'dense' ? first.inFeatures : first.dimension;
  const after = last.type === 'dense' ? last.outFeatures : last.dimension;
  if (size !== before && size !== after)
    throw new ModelLoadError(
      `the graph's output "${name}" has ${size} values, and the modules of the folder make ${after} of ${before}`,
    );
  if (before !== after) return size === before ? rest : rest.slice(rest.lastIndexOf(last) + 1);
  if (name === WHOLE_MODEL) return [];
  throw new ModelLoadError(
    `the graph's output "${name}" may come before or after the modules of the folder; an output of token vectors is needed`,
  );
}

function describe(outputs: Outputs): string {
  return [...outputs].map(([name, { dims }]) => `${name} (rank ${dims.length})`).join(', ');
}
