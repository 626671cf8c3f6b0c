import { describe, expect, it } from '@jest/globals';
import { chooseOutput } from './graph-output.chooser.ts';
import type { DenseModule, ModelPlan, VectorModule } from '../plan/model-plan.ts';

const pooling = { type: 'pooling', modes: ['cls'], includePrompt: true } as const;
const normalize = { type: 'normalize' } as const;

/** @param notes empty where the folder says how to pool */
const planOf = (
  notes: readonly string[],
  modules: readonly VectorModule[] = [pooling, normalize],
): ModelPlan => ({
  backend: 'onnx',
  root: '',
  modules,
  prompts: {},
  lowerCase: false,
  notes,
  files: [],
});
const TOLD = planOf([]);
const SILENT = planOf(['"mean" is used']);

const outputs = (shapes: Readonly<Record<string, readonly number[]>>) =>
  new Map(Object.entries(shapes).map(([name, dims]) => [name, { dims }]));

describe('the output that is chosen', () => {
  it.each<[string, Readonly<Record<string, readonly number[]>>, string]>([
    ['of three ways to search', { dense: [1, 64], sparse: [1, 6], colbert: [1, 6, 64] }, 'dense'],
    ['of two', { dense_vecs: [1, 64], colbert_vecs: [1, 6, 64] }, 'dense_vecs'],
    ['beside weights of words', { dense_vecs: [1, 64], lexical_weights: [1, 6, 1] }, 'dense_vecs'],
    ['beside scores of words', { out: [1, 64], more: [1, 6, 999] }, 'out'],
  ])('%s is the vector of the text', (_, shapes, name) => {
    for (const plan of [TOLD, SILENT]) {
      const widths = { vocab_size: 999, hidden_size: 64 };
      expect(chooseOutput(outputs(shapes), plan, {}, widths)).toMatchObject({ name, pooled: true });
    }
  });

  it('is the one with the most usual name, in whatever order they stand', () => {
    const ofTexts = { embeddings: [1, 64], sentence_embedding: [1, 64] };
    const ofTokens = { token_embeddings: [1, 6, 64], last_hidden_state: [1, 6, 64] };
    for (const order of [outputs, (shapes: typeof ofTexts) => new Map([...outputs(shapes)].toReversed())]) {
      expect(chooseOutput(order(ofTexts), SILENT).name).toBe('sentence_embedding');
      expect(chooseOutput(order({ ...ofTexts, ...ofTokens }), TOLD).name).toBe('last_hidden_state');
    }
  });

  it('is never as wide as the vocabulary, unless it is named', () => {
    const [words, widths] = [
      { vocab_size: 999, hidden_size: 64 },
      { vocab_size: 64, hidden_size: 64 },
    ];
    for (const shape of [
      [1, 999],
      [1, 6, 999],
    ]) {
      expect(() => chooseOutput(outputs({ output: shape }), TOLD, {}, words)).toThrow(/output \(rank/);
      const named = chooseOutput(outputs({ output: shape }), TOLD, { output: 'output' }, words);
      expect(named.name).toBe('output');
    }
    expect(chooseOutput(outputs({ output: [1, 64] }), TOLD, {}, widths).name).toBe('output');
  });

  it('is not guessed where a vector of unknown meaning stands beside those of tokens', () => {
    const shapes = outputs({ '1545': [1, 6, 64], '1546': [1, 64] });
    expect(() => chooseOutput(shapes, SILENT)).toThrow(
      /1545 \(rank 3\), 1546 \(rank 2\).*EMBEDDING_GRAPH_OUTPUT/,
    );
    expect(chooseOutput(shapes, TOLD)).toMatchObject({ name: '1545', pooled: false });
  });
});

describe('what is left to be done behind a graph that pools', () => {
  const dense = (inFeatures: number, outFeatures: number): DenseModule => ({
    type: 'dense',
    path: '2_Dense',
    inFeatures,
    outFeatures,
    bias: true,
    activation: 'Tanh',
    residual: false,
  });
  const modulesFor = (name: string, size: number, module: DenseModule) => {
    const plan = planOf([], [pooling, module, normalize]);
    return chooseOutput(outputs({ [name]: [1, size] }), plan).modules.map(({ type }) => type);
  };

  it('is told by the length of its vectors, whatever they are called', () => {
    for (const name of ['sentence_embedding', 'embeddings']) {
      expect(modulesFor(name, 64, dense(64, 32))).toEqual(['dense', 'normalize']);
      expect(modulesFor(name, 32, dense(64, 32))).toEqual(['normalize']);
      expect(() => modulesFor(name, 48, dense(64, 32))).toThrow(
        `"${name}" has 48 values, and the modules of the folder make 32 of 64`,
      );
    }
  });

  it('is nothing where the name says that it is the whole model, and unclear where it does not', () => {
    expect(modulesFor('sentence_embedding', 64, dense(64, 64))).toEqual([]);
    expect(() => modulesFor('embeddings', 64, dense(64, 64))).toThrow(/before or after the modules/);
  });
});
