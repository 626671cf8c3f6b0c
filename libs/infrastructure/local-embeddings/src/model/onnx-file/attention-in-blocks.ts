import type { Attention } from './attention.finder.ts';
import { encodeNode, encodeOperator, type GraphNode } from './graph-node.ts';
import {
  ELEMENT,
  encodeBlock,
  encodeNumber,
  encodeText,
  encodeValue,
  GRAPH,
  TENSOR,
  VALUE,
  type Value,
} from './onnx-proto.ts';

/** Names of what is added to a graph begin with it. */
export const ADDED = 'morgan/';
const CONSTANTS = {
  block: `${ADDED}block`,
  lessThanBlock: `${ADDED}less-than-block`,
  zero: `${ADDED}zero`,
  one: `${ADDED}one`,
  rowAxis: `${ADDED}row-axis`,
};
const ROW_AXIS = -2;

/** What the nodes of {@link inBlocks} take besides: tensors of one integer, as parts of a graph. */
export function blockConstants(blockRows: number): Buffer[] {
  const values: Readonly<Record<keyof typeof CONSTANTS, number>> = {
    block: blockRows,
    lessThanBlock: blockRows - 1,
    zero: 0,
    one: 1,
    rowAxis: ROW_AXIS,
  };
  return Object.entries(values).map(([key, value]) =>
    encodeBlock(
      GRAPH.initializer,
      Buffer.concat([
        encodeNumber(TENSOR.dimension, 1),
        encodeNumber(TENSOR.type, ELEMENT.int64),
        encodeText(TENSOR.name, CONSTANTS[key as keyof typeof CONSTANTS]),
        encodeBlock(TENSOR.raw, new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)),
      ]),
    ),
  );
}

/**
 * The nodes that stand in the place of an attention: as it was, where a text has no more tokens than a block has rows, else a
 * loop over blocks of rows, whose results are put together. The numbers are the same: no row depends on another.
 */
export function inBlocks(attention: Attention, index: number): Buffer[] {
  const at = (name: string) => `${ADDED}${index}/${name}`;
  const { scores, inner, context } = attention;
  const [rowsFrom = ''] = scores.inputs;
  const whole = [scores, inner, { ...context, outputs: [at('whole')] }]
    .flat()
    .map((node) => encodeNode(node));
  return [
    encodeOperator('Shape', [rowsFrom], [at('shape')]),
    encodeOperator('Gather', [at('shape'), CONSTANTS.rowAxis], [at('rows')]),
    encodeOperator('Greater', [at('rows'), CONSTANTS.block], [at('is-long')]),
    encodeOperator('If', [at('is-long')], context.outputs, {
      then_branch: encodeGraph(at('long'), { nodes: loop(attention, at), inputs: [], outputs: [at('all')] }),
      else_branch: encodeGraph(at('short'), { nodes: whole, inputs: [], outputs: [at('whole')] }),
    }),
  ];
}

/** Nodes that give the shapes of tensors, and these as outputs, under the names that come with them. */
export function shapeOutputs(tensors: readonly string[]) {
  const names = tensors.map((_, index) => `${ADDED}shape-${index}`);
  const parts = tensors.flatMap((tensor, index) => {
    const name = names[index] as string;
    return [
      encodeOperator('Shape', [tensor], [`${name}/whole`]),
      encodeOperator('Cast', [`${name}/whole`], [name], { to: ELEMENT.float }),
      encodeValue(GRAPH.output, { name, type: ELEMENT.float }),
    ];
  });
  return { names, parts };
}

type Naming = (name: string) => string;

function loop(attention: Attention, at: Naming): Buffer[] {
  const [, values = ''] = attention.context.inputs;
  return [
    encodeOperator('Add', [at('rows'), CONSTANTS.lessThanBlock], [at('rows-and-rest')]),
    encodeOperator('Div', [at('rows-and-rest'), CONSTANTS.block], [at('blocks')]),
    // No rows yet, and of the right size but for that.
    encodeOperator('Slice', [values, CONSTANTS.zero, CONSTANTS.zero, CONSTANTS.rowAxis], [at('none')]),
    encodeOperator('Loop', [at('blocks'), '', at('none')], [at('all')], {
      body: encodeGraph(at('block'), {
        nodes: body(attention, at),
        inputs: [
          { name: at('number'), type: ELEMENT.int64, isScalar: true },
          { name: at('go-on'), type: ELEMENT.boolean, isScalar: true },
          { name: at('before'), type: attention.type },
        ],
        outputs: [at('goes-on'), at('with-it')],
      }),
    }),
  ];
}

/** One block: its rows of everything that has rows, the attention of these, put behind those of the blocks before. */
function body({ scores, inner, context, sideInputs }: Attention, at: Naming): Buffer[] {
  const [rowsFrom = '', ...others] = scores.inputs;
  const renamed = new Map(
    [scores, ...inner].flatMap(({ outputs }) => outputs.map((name) => [name, at(name)])),
  );
  const slices = sideInputs.flatMap((name) => {
    renamed.set(name, at(`part/${name}`));
    return rowsOf(name, at);
  });
  const rename = (name: string) => renamed.get(name) ?? name;
  const renameAll = (node: GraphNode) =>
    encodeNode({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) });
  return [
    encodeOperator('Mul', [at('number'), CONSTANTS.block], [at('start')]),
    encodeOperator('Add', [at('start'), CONSTANTS.block], [at('end')]),
    encodeOperator('Slice', [rowsFrom, at('start'), at('end'), CONSTANTS.rowAxis], [at('part-of-rows')]),
    ...slices,
    encodeNode({ ...scores, inputs: [at('part-of-rows'), ...others], outputs: scores.outputs.map(rename) }),
    ...inner.map(renameAll),
    encodeNode({ ...context, inputs: context.inputs.map(rename), outputs: [at('context')] }),
    encodeOperator('Concat', [at('before'), at('context')], [at('with-it')], { axis: ROW_AXIS }),
    encodeOperator('Identity', [at('go-on')], [at('goes-on')]),
  ];
}

/** The rows of a block, or the only row where one serves for all. */
function rowsOf(name: string, at: Naming): Buffer[] {
  const own = (step: string) => at(`${step}/${name}`);
  return [
    encodeOperator('Shape', [name], [own('shape')]),
    encodeOperator('Gather', [own('shape'), CONSTANTS.rowAxis], [own('rows')]),
    encodeOperator('Greater', [own('rows'), CONSTANTS.one], [own('has-rows')]),
    encodeOperator('Cast', [own('has-rows')], [own('factor')], { to: ELEMENT.int64 }),
    encodeOperator('Mul', [at('start'), own('factor')], [own('start')]),
    encodeOperator('Slice', [name, own('start'), at('end'), CONSTANTS.rowAxis], [own('part')]),
  ];
}

interface Subgraph {
  readonly nodes: readonly Buffer[];
  readonly inputs: readonly Value[];
  /** The runtime finds their types out by itself. */
  readonly outputs: readonly string[];
}

function encodeGraph(name: string, { nodes, inputs, outputs }: Subgraph): Buffer {
  return Buffer.concat([
    ...nodes,
    encodeText(GRAPH.name, name),
    ...inputs.map((input) => encodeValue(GRAPH.input, input)),
    ...outputs.map((output) => encodeBlock(GRAPH.output, encodeText(VALUE.name, output))),
  ]);
}
