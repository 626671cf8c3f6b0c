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
 * The heart of attention: `scores` compares each token with each, `inner` makes shares of that, `mixed` adds the tokens up
 * by their shares. All of it treats every row by itself, so that it need not be there at once.
 */
export interface Attention {
  /** The product whose left side are the rows. */
  readonly scores: GraphNode;
  /** What lies between the products, in the order of the graph. */
  readonly inner: readonly GraphNode[];
  /** The product whose left side is what `inner` gives. */
  readonly mixed: GraphNode;
  /** What `inner` takes besides, such as masks, that has a row for each token, or one for all. */
  readonly beside: readonly string[];
  /** Of the values of what comes out, as onnx.proto counts them. */
  readonly type: number;
}

/** The parts of a graph that matter here. */
export interface GraphView {
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

/** Who makes a tensor, and who takes it. */
class Links {
  readonly #view: GraphView;
  readonly #makers = new Map<string, GraphNode>();
  readonly #takers = new Map<string, Set<GraphNode>>();
  /** Tensors that something takes which is no node of this graph. */
  readonly #taken: Set<string>;
  readonly #few = new Map<string, boolean>();

  constructor(view: GraphView) {
    this.#view = view;
    this.#taken = new Set(view.outputs);
    for (const node of view.nodes) {
      for (const output of node.outputs) this.#makers.set(output, node);
      for (const input of node.inputs) {
        const takers = this.#takers.get(input) ?? new Set();
        this.#takers.set(input, takers.add(node));
      }
      for (const { names } of node.attributes.values()) names.forEach((name) => this.#taken.add(name));
    }
  }

  around(softmax: GraphNode): Attention | undefined {
    const inner = new Set<GraphNode>();
    const scores = this.#before(softmax, inner);
    const mixed = this.#after(softmax, inner);
    if (scores.size !== 1 || mixed.size !== 1) return undefined;
    const [[product], [sum]] = [[...scores], [...mixed]] as [[GraphNode], [GraphNode]];
    const parts = new Set([product, ...inner]);
    if (!this.#makes(inner, sum.inputs[0]) || this.#makes(parts, sum.inputs[1])) return undefined;
    if (![...parts].every((node) => this.#isOnlyFor(node, new Set([...parts, sum])))) return undefined;
    this.#takeIn(inner, parts);
    const type = this.#typeOf(sum.inputs[1] ?? '', new Set());
    if (type === undefined) return undefined;
    const beside = new Set([...inner].flatMap(({ inputs }) => inputs));
    return {
      scores: product,
      inner: this.#view.nodes.filter((node) => inner.has(node)),
      mixed: sum,
      type,
      beside: [...beside].filter(
        (name) => name !== '' && !this.#makes(parts, name) && !this.#hasFewAxes(name),
      ),
    };
  }

  /** The products that `node` is made of, row by row; what lies between comes into `inner`. */
  #before(
    node: GraphNode,
    inner: Set<GraphNode>,
    known = new Map<GraphNode, Set<GraphNode>>(),
  ): Set<GraphNode> {
    const products = new Set<GraphNode>();
    for (const input of node.inputs) {
      const maker = this.#makers.get(input);
      if (maker?.operator === 'MatMul') products.add(maker);
      else if (maker && isElementwise(maker))
        (known.get(maker) ?? this.#before(maker, inner, known)).forEach((product) => products.add(product));
    }
    if (products.size > 0) inner.add(node);
    known.set(node, products);
    return products;
  }

  /** The products that are made of `node`, row by row; what lies between comes into `inner`. */
  #after(node: GraphNode, inner: Set<GraphNode>): Set<GraphNode> {
    const products = new Set<GraphNode>();
    for (const taker of node.outputs.flatMap((output) => [...(this.#takers.get(output) ?? [])])) {
      if (taker.operator === 'MatMul') products.add(taker);
      else if (isElementwise(taker) && !inner.has(taker))
        this.#after(taker, inner.add(taker)).forEach((product) => products.add(product));
    }
    return products;
  }

  /** Takes in what is made row by row for these nodes alone, such as a mask of this layer: it would be there at once. */
  #takeIn(inner: Set<GraphNode>, parts: Set<GraphNode>): void {
    for (const node of inner) {
      for (const input of node.inputs) {
        const maker = this.#makers.get(input);
        if (!maker || parts.has(maker) || !isElementwise(maker) || !this.#isOnlyFor(maker, parts)) continue;
        // A set that grows while it is walked through is walked to its new end.
        inner.add(maker);
        parts.add(maker);
      }
    }
  }

  #makes(nodes: ReadonlySet<GraphNode>, name: string | undefined): boolean {
    const maker = this.#makers.get(name ?? '');
    return maker !== undefined && nodes.has(maker);
  }

  #isOnlyFor({ outputs }: GraphNode, nodes: ReadonlySet<GraphNode>): boolean {
    return outputs.every(
      (name) =>
        !this.#taken.has(name) && [...(this.#takers.get(name) ?? [])].every((taker) => nodes.has(taker)),
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
    const maker = this.#makers.get(name);
    if (maker === undefined) return false;
    const { operator, attributes, inputs } = maker;
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
    const maker = this.#makers.get(name);
    if (maker?.operator === 'Cast') return maker.attributes.get('to')?.integer;
    for (const input of maker?.inputs ?? []) {
      const found = this.#typeOf(input, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
