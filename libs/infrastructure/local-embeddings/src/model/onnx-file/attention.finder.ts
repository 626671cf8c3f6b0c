import type { GraphNode, TensorKind } from './graph-node.ts';

/** Operators that work value by value; they stretch what they take to one shape. */
const ELEMENTWISE = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Neg', 'Tanh'],
  ...['Where', 'IsNaN', 'And', 'Or', 'Not', 'Cast', 'Identity'],
]);
/** Operators whose outputs have as few axes as their inputs. */
const KEEPS_FEW_AXES = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Sqrt', 'Reciprocal', 'Neg', 'Floor', 'Cast', 'Identity'],
  ...['Gather', 'Slice', 'Squeeze', 'Concat'],
]);

/** Floating-point numbers of 32 and of 16 bits, the latter in both ways. */
const FLOATS = new Set([1, 10, 16]);

/**
 * The heart of attention: `scores` compares each token with each, `inner` makes weights of that, `context` adds the values of tokens up
 * by their weights. All of it treats every row by itself, so that it need not be there at once.
 */
export interface Attention {
  /** The matrix product of queries, whose rows these are, and keys. */
  readonly scores: GraphNode;
  /** What lies between the two products, in the order of the graph. */
  readonly inner: readonly GraphNode[];
  /** The matrix product of the weights and the values. */
  readonly context: GraphNode;
  /** Further inputs of `inner`, such as masks, that have a row for each token, or one for all. */
  readonly sideInputs: readonly string[];
  /** Of the numbers that come out, as onnx.proto counts them. */
  readonly type: number;
}

/** The parts of a graph that matter here. */
interface GraphView {
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly string[];
  /** The tensors that are part of the graph. */
  readonly constants: ReadonlyMap<string, TensorKind>;
}

/** Finds what can be run row by row; a graph that is built otherwise has none. */
export function findAttention(view: GraphView): Attention[] {
  const links = new Links(view);
  return view.nodes.flatMap((node) => {
    const found = node.operator === 'Softmax' && isOverLastAxis(node) ? links.around(node) : undefined;
    return found ? [found] : [];
  });
}

/** Of four axes, which attention has, or counted from the end. Older exporters always say it, newer ones need not. */
function isOverLastAxis({ attributes }: GraphNode): boolean {
  const axis = attributes.get('axis')?.integer ?? -1;
  return axis === -1 || axis === 3;
}

function isElementwise({ operator }: GraphNode): boolean {
  return ELEMENTWISE.has(operator);
}

/** Which node produces a tensor, and which consume it. */
class Links {
  readonly #view: GraphView;
  readonly #producers = new Map<string, GraphNode>();
  readonly #consumers = new Map<string, Set<GraphNode>>();
  /** Outputs of the graph, and what graphs within its nodes take. */
  readonly #usedElsewhere: Set<string>;
  readonly #few = new Map<string, boolean>();

  constructor(view: GraphView) {
    this.#view = view;
    this.#usedElsewhere = new Set(view.outputs);
    for (const node of view.nodes) {
      for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of node.inputs) {
        const consumers = this.#consumers.get(input) ?? new Set();
        this.#consumers.set(input, consumers.add(node));
      }
      for (const { names } of node.attributes.values())
        names.forEach((name) => this.#usedElsewhere.add(name));
    }
  }

  around(softmax: GraphNode): Attention | undefined {
    const inner = new Set<GraphNode>();
    const before = this.#before(softmax, inner);
    const after = this.#after(softmax, inner);
    if (before.size !== 1 || after.size !== 1) return undefined;
    const [[scores], [context]] = [[...before], [...after]] as [[GraphNode], [GraphNode]];
    const [weights = '', values = ''] = context.inputs;
    const rows = new Set([scores, ...inner]);
    const type = this.#typeOf(values, new Set());
    if (!this.#isOutputOf(inner, weights) || this.#isOutputOf(rows, values) || type === undefined)
      return undefined;
    if (![...rows].every((node) => this.#isOnlyFor(node, new Set([...rows, context])))) return undefined;
    this.#absorb(inner, rows);
    const inputs = new Set([...inner].flatMap((node) => node.inputs));
    return {
      scores,
      inner: this.#view.nodes.filter((node) => inner.has(node)),
      context,
      sideInputs: [...inputs].filter(
        (name) => name !== '' && !this.#isOutputOf(rows, name) && !this.#hasFewAxes(name),
      ),
      type,
    };
  }

  /** The matrix products that `node` is made of, value by value; what lies between comes into `inner`. */
  #before(
    node: GraphNode,
    inner: Set<GraphNode>,
    known = new Map<GraphNode, Set<GraphNode>>(),
  ): Set<GraphNode> {
    const products = new Set<GraphNode>();
    for (const input of node.inputs) {
      const producer = this.#producers.get(input);
      if (producer?.operator === 'MatMul') products.add(producer);
      else if (producer && isElementwise(producer))
        (known.get(producer) ?? this.#before(producer, inner, known)).forEach((product) =>
          products.add(product),
        );
    }
    if (products.size > 0) inner.add(node);
    known.set(node, products);
    return products;
  }

  /** The matrix products that take `node`, changed value by value; what lies between comes into `inner`. */
  #after(node: GraphNode, inner: Set<GraphNode>): Set<GraphNode> {
    const products = new Set<GraphNode>();
    for (const consumer of node.outputs.flatMap((output) => [...(this.#consumers.get(output) ?? [])])) {
      if (consumer.operator === 'MatMul') products.add(consumer);
      else if (isElementwise(consumer) && !inner.has(consumer))
        this.#after(consumer, inner.add(consumer)).forEach((product) => products.add(product));
    }
    return products;
  }

  /** Adds what is made value by value for these nodes alone, such as a mask of this layer: it would be there at once. */
  #absorb(inner: Set<GraphNode>, rows: Set<GraphNode>): void {
    for (const node of inner) {
      for (const input of node.inputs) {
        const producer = this.#producers.get(input);
        if (!producer || rows.has(producer) || !isElementwise(producer) || !this.#isOnlyFor(producer, rows))
          continue;
        // A set that grows while it is walked through is walked to its new end.
        inner.add(producer);
        rows.add(producer);
      }
    }
  }

  #isOutputOf(nodes: ReadonlySet<GraphNode>, name: string): boolean {
    const producer = this.#producers.get(name);
    return producer !== undefined && nodes.has(producer);
  }

  #isOnlyFor({ outputs }: GraphNode, nodes: ReadonlySet<GraphNode>): boolean {
    return outputs.every(
      (name) =>
        !this.#usedElsewhere.has(name) &&
        [...(this.#consumers.get(name) ?? [])].every((consumer) => nodes.has(consumer)),
    );
  }

  /** Whether a tensor has one axis or none, such as a scale: it has no rows. */
  #hasFewAxes(name: string): boolean {
    const few = this.#few.get(name) ?? this.#findFewAxes(name);
    this.#few.set(name, few);
    return few;
  }

  #findFewAxes(name: string): boolean {
    const constant = this.#view.constants.get(name);
    if (constant) return constant.rank < 2;
    const producer = this.#producers.get(name);
    if (producer === undefined) return false;
    const { operator, attributes, inputs } = producer;
    if (operator === 'Constant')
      return [...attributes.values()].every(({ tensor }) => (tensor?.rank ?? 0) < 2);
    if (operator === 'Shape' || operator === 'Size') return true;
    return KEEPS_FEW_AXES.has(operator) && inputs.every((input) => input === '' || this.#hasFewAxes(input));
  }

  /** Of the weights that a tensor is made with, as far as that is made plain by conversions and weights alone. */
  #typeOf(name: string, seen: Set<string>): number | undefined {
    if (seen.has(name)) return undefined;
    seen.add(name);
    const { type } = this.#view.constants.get(name) ?? {};
    if (type !== undefined) return FLOATS.has(type) ? type : undefined;
    const producer = this.#producers.get(name);
    if (producer?.operator === 'Cast') return producer.attributes.get('to')?.integer;
    for (const input of producer?.inputs ?? []) {
      const found = this.#typeOf(input, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
