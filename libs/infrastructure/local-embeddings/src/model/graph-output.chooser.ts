import type { GraphSettings } from './embedding-model.types.ts';
import type { GraphOutput } from './graph-runner.ts';
import { ModelLoadError } from './model-load-error.ts';
import type { ModelPlan, VectorModule } from './model-plan.ts';

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
const CLASSIFIER_NAME = 'pooler_output';
/** Scores for the words of a vocabulary or for labels. */
const SCORES = /logits/i;

/** Chooses by what a first run gave. @throws ModelLoadError that lists the outputs and what would settle it */
export function chooseOutput(outputs: Outputs, plan: ModelPlan, graph: GraphSettings = {}): ChosenOutput {
  const name = graph.output ?? namedOutput(outputs, plan) ?? guessOutput(outputs, plan);
  const rank = name === undefined ? undefined : outputs.get(name)?.dims.length;
  if (name === undefined || (rank !== TOKENS && rank !== VECTORS)) {
    const wanted =
      name === undefined ? 'none of them is known to be the vectors' : `there is no usable "${name}"`;
    throw new ModelLoadError(
      `the graph has the outputs ${describe(outputs)}; ${wanted}. EMBEDDING_GRAPH_OUTPUT names the right one`,
    );
  }
  if (rank === TOKENS && plan.backend === 'cross-encoder')
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

function guessOutput(outputs: Outputs, { notes }: ModelPlan): string | undefined {
  const ofRank = (rank: number) =>
    [...outputs]
      .filter(([name, { dims }]) => dims.length === rank && !SCORES.test(name))
      .map(([name]) => name);
  const pick = (names: readonly string[], known: readonly string[]) =>
    known.find((name) => names.includes(name)) ?? (names.length === 1 ? names[0] : undefined);
  const tokens = pick(ofRank(TOKENS), TOKEN_NAMES);
  const all = ofRank(VECTORS);
  const vectors = pick(
    all.filter((name) => name !== CLASSIFIER_NAME),
    VECTOR_NAMES,
  );
  // Where the folder or the configuration says how to pool, tokens are what it speaks of.
  if (notes.length === 0) return tokens ?? vectors;
  return vectors ?? tokens ?? pick(all, []);
}

/** A graph that pools may do further steps itself; the length of its vectors tells where a Dense has been. */
function modulesAfter(name: string, outputs: Outputs, { modules }: ModelPlan): readonly VectorModule[] {
  const rest = modules.filter(({ type }) => type !== 'pooling');
  const shaping = rest.filter((module) => module.type === 'dense' || module.type === 'layer-norm');
  const [first, last] = [shaping[0], shaping.at(-1)];
  if (!first || !last) return rest;
  if (name === 'sentence_embedding') return [];
  const size = outputs.get(name)?.dims.at(-1);
  const before = first.type === 'dense' ? first.inFeatures : first.dimension;
  const after = last.type === 'dense' ? last.outFeatures : last.dimension;
  if (before === after)
    throw new ModelLoadError(
      `the graph's output "${name}" may come before or after the modules of the folder; an output of token vectors is needed`,
    );
  if (size === before) return rest;
  return rest.slice(rest.lastIndexOf(last) + 1);
}

function describe(outputs: Outputs): string {
  return [...outputs].map(([name, { dims }]) => `${name} (rank ${dims.length})`).join(', ');
}
