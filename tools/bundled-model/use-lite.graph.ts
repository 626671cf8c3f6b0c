import { FLOAT, INT64, OnnxGraph } from './onnx-writer.ts';
import type { FindWeight } from './tfjs-weights.ts';

const HIDDEN_SIZE = 512;
const HEADS = 4;
const MAX_TOKENS = 128;
const LAYER_NORM_EPSILON = 1e-6;
const PADDING_BIAS = -1e9;
const SMALLEST_SQUARED_NORM = 1e-12;

/** What the two transformer layers share: the graph under construction, its weights and the padding bias. */
interface Scope {
  readonly graph: OnnxGraph;
  readonly find: FindWeight;
  readonly paddingBias: string;
}

/** How the model is built. */
export interface UseLiteOptions {
  /** Whether every token goes through the last product, as in the original, before their mean is taken. Default false. */
  readonly plain?: boolean;
}

/**
 * Rebuilds the sentence encoder as ONNX: (input_ids, attention_mask) -> sentence_embedding, unit length.
 *
 * The original scatters ragged tokens into a padded tensor; here padding comes in through the mask. Padded keys get
 * the original's -1e9 bias and padded positions stay out of the mean, so a row does not depend on its batch. A row
 * that is all padding averages to zero and yields the bias vector of the last layer, as the original does.
 *
 * Nothing but a mean follows the product at the end of the second layer, and the product of a mean is the mean of the
 * products: it is computed once a text in place of once a token, which saves a sixth of all work.
 */
export function buildUseLiteModel(find: FindWeight, { plain = false }: UseLiteOptions = {}): Uint8Array {
  const graph = new OnnxGraph();
  const ids = clip(graph, 'input_ids');
  const mask = graph.node('Cast', [clip(graph, 'attention_mask')], { to: FLOAT });
  const paddingBias = graph.scoped('padding', () => {
    const isPadding = graph.node('Sub', [graph.scalar(1), mask]);
    const bias = graph.node('Mul', [isPadding, graph.scalar(PADDING_BIAS)]);
    return graph.node('Unsqueeze', [bias, graph.ints([1, 2])]);
  });
  const scope: Scope = { graph, find, paddingBias };

  const embedded = graph.scoped('embed', () => embed(scope, ids));
  const lifted = graph.scoped('layer_0', () => {
    const residual = dense(scope, embedded, weightsOf(find, 'Layer_0/TransformerLayer/dense'));
    return output(scope, transformerLayer(scope, { index: 0, input: embedded, inputSize: 256, residual }));
  });
  const last = graph.scoped('layer_1', () =>
    transformerLayer(scope, { index: 1, input: lifted, inputSize: HIDDEN_SIZE, residual: lifted }),
  );
  graph.scoped('pool', () => pool(scope, last, { mask, plain }));

  const dynamic = ['batch', 'sequence'];
  return graph.encode(
    'universal-sentence-encoder-lite',
    [
      { name: 'input_ids', type: INT64, shape: dynamic },
      { name: 'attention_mask', type: INT64, shape: dynamic },
    ],
    [{ name: 'sentence_embedding', type: FLOAT, shape: ['batch', HIDDEN_SIZE] }],
  );
}

/** The original ignores everything after 128 tokens; keeping that in the graph protects callers that do not truncate. */
function clip(graph: OnnxGraph, input: string): string {
  return graph.node('Slice', [input, graph.ints([0]), graph.ints([MAX_TOKENS]), graph.ints([1])]);
}

/** Twice the embedding plus the timing signal: the original adds its embedding to an already timed copy of it. */
function embed({ graph, find }: Scope, ids: string): string {
  const table = find('Embeddings_en');
  const vectors = graph.node('Gather', [graph.floats('embeddings', table.shape, table.bytes), ids]);
  const doubled = graph.node('Add', [vectors, vectors]);

  const length = graph.node('Gather', [graph.node('Shape', [ids]), graph.ints(1)]);
  const positions = graph.node('Range', [graph.ints(0), length, graph.ints(1)]);
  const column = graph.node('Unsqueeze', [graph.node('Cast', [positions], { to: FLOAT }), graph.ints([1])]);
  const signal = find('TimingSignal/ExpandDims_1');
  const angles = graph.node('Mul', [column, graph.floats('frequencies', signal.shape, signal.bytes)]);
  const waves = [graph.node('Sin', [angles]), graph.node('Cos', [angles])];
  return graph.node('Add', [doubled, graph.node('Concat', waves, { axis: 1 })]);
}

interface LayerSpec {
  readonly index: number;
  readonly input: string;
  readonly inputSize: number;
  readonly residual: string;
}

/** A layer but for its last product, which {@link output} adds. */
interface LayerParts {
  readonly inner: string;
  readonly residual: string;
  readonly weights: DenseWeights;
}

/** Pre-norm attention, then a pre-norm feed-forward block, each added to its residual. */
function transformerLayer(scope: Scope, { index, input, inputSize, residual }: LayerSpec): LayerParts {
  const { graph, find } = scope;
  const layer = `Layer_${index}/TransformerLayer`;
  const normed = layerNorm(scope, input, `Encode/${layer}/layer_prepostprocess`);
  const attended = graph.scoped('attention', () =>
    attention(scope, normed, { prefix: `${layer}/MultiheadAttention`, size: inputSize }),
  );
  const summed = graph.node('Add', [attended, residual]);

  return graph.scoped('feed_forward', () => {
    const again = layerNorm(scope, summed, `Encode/${layer}/FFN/layer_prepostprocess`);
    const convolution = (name: string) => ({
      kernel: find(`${layer}/FFN/${name}/Tensordot/Reshape_1`),
      bias: find(`${layer}/FFN/${name}/bias/ConcatPartitions/concat`),
      name: `${layer}/FFN/${name}`,
    });
    const inner = graph.node('Relu', [dense(scope, again, convolution('conv1'))]);
    return { inner, residual: summed, weights: convolution('conv2') };
  });
}

function output(scope: Scope, { inner, residual, weights }: LayerParts): string {
  return scope.graph.node('Add', [dense(scope, inner, weights), residual]);
}

function attention(scope: Scope, input: string, { prefix, size }: { prefix: string; size: number }): string {
  const { graph, find } = scope;
  const projection = (name: string) => ({
    kernel: withoutUnitAxes(find(`${prefix}/${name}/kernel/part_0`)),
    bias: find(`${prefix}/${name}/bias/ConcatPartitions/concat`),
    name: `${prefix}/${name}`,
  });
  const fused = dense(scope, input, projection('qkv_transform_single'));
  const parts = { query: `${prefix}/query`, key: `${prefix}/key`, value: `${prefix}/value` };
  graph.nodeTo(Object.values(parts), 'Split', [fused, graph.ints([size, size, size])], { axis: -1 });

  const headShape = graph.ints([0, 0, HEADS, size / HEADS]);
  const heads = (part: string, perm: readonly number[]) =>
    graph.node('Transpose', [graph.node('Reshape', [part, headShape])], { perm });
  const query = heads(parts.query, [0, 2, 1, 3]);
  // Keys go straight to [batch, head, size, token], which saves the transpose before the score product.
  const key = heads(parts.key, [0, 2, 3, 1]);
  const value = heads(parts.value, [0, 2, 1, 3]);

  const factor = find(`${prefix}/mul/y`).bytes;
  const scaled = graph.node('Mul', [query, graph.floats(`${prefix}/scale`, [], factor)]);
  const scores = graph.node('Add', [graph.node('MatMul', [scaled, key]), scope.paddingBias]);
  const mixed = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), value]);
  const tokensFirst = graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  const joined = graph.node('Reshape', [tokensFirst, graph.ints([0, 0, size])]);
  return dense(scope, joined, projection('output_transform_single'));
}

/** Mean over the valid positions, a tanh layer, then scaling to unit length. */
function pool(
  scope: Scope,
  layer: LayerParts,
  { mask, plain }: { readonly mask: string; readonly plain: boolean },
): void {
  const { graph, find } = scope;
  const count = graph.node('ReduceSum', [mask, graph.ints([1])], { keepdims: 1 });
  const shares = graph.node('Div', [mask, graph.node('Max', [count, graph.scalar(1)])]);
  const row = graph.node('Unsqueeze', [shares, graph.ints([1])]);
  const meanOf = (tokens: string) =>
    graph.node('Squeeze', [graph.node('MatMul', [row, tokens]), graph.ints([1])]);
  const { inner, residual } = layer;
  const pooled = plain
    ? meanOf(output(scope, layer))
    : output(scope, { ...layer, inner: meanOf(inner), residual: meanOf(residual) });
  // Of no token at all there is no mean, whatever the bias of the product.
  const mean = graph.node('Mul', [pooled, graph.node('Min', [count, graph.scalar(1)])]);

  const kernel = find('tanh_layer_0/weights');
  const projected = dense(scope, mean, { kernel, bias: find('tanh_layer_0/bias'), name: 'tanh_layer_0' });
  const vector = graph.node('Tanh', [projected]);
  const squares = graph.node('ReduceSum', [graph.node('Mul', [vector, vector]), graph.ints([1])], {
    keepdims: 1,
  });
  const norm = graph.node('Sqrt', [graph.node('Max', [squares, graph.scalar(SMALLEST_SQUARED_NORM)])]);
  graph.nodeTo(['sentence_embedding'], 'Div', [vector, norm]);
}

type Tensor = Pick<ReturnType<FindWeight>, 'shape' | 'bytes'>;

interface DenseWeights {
  readonly name: string;
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

function weightsOf(find: FindWeight, name: string): DenseWeights {
  const part = (kind: string) => find(`${name}/${kind}/ConcatPartitions/concat`);
  return { name, kernel: part('kernel'), bias: part('bias') };
}

function dense({ graph }: Scope, input: string, { name, kernel, bias }: DenseWeights): string {
  const product = graph.node('MatMul', [input, graph.floats(`${name}/kernel`, kernel.shape, kernel.bytes)]);
  return graph.node('Add', [product, graph.floats(`${name}/bias`, bias.shape, bias.bytes)]);
}

function layerNorm({ graph, find }: Scope, input: string, prefix: string): string {
  const parameter = (part: string) => {
    const { shape, bytes } = find(`${prefix}/layer_norm/layer_norm_${part}/ConcatPartitions/concat`);
    return graph.floats(`${prefix}/${part}`, shape, bytes);
  };
  return graph.node('LayerNormalization', [input, parameter('scale'), parameter('bias')], {
    axis: -1,
    epsilon: { float: LAYER_NORM_EPSILON },
  });
}

/** The projections are stored as 1x1 convolution kernels, [1, 1, in, out]; a matrix product needs [in, out]. */
function withoutUnitAxes({ shape, bytes }: Tensor): Tensor {
  return { shape: shape.slice(2), bytes };
}
