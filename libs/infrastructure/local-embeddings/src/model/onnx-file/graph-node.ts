import protobuf from 'protobufjs/minimal.js';
import { ATTRIBUTE, ATTRIBUTE_TYPE, BLOCK, encodeBlock, GRAPH, NODE, TENSOR } from './onnx-proto.ts';

/** One operator of a graph. */
export interface GraphNode {
  /** Its own; empty for one without. */
  readonly name: string;
  /** Its name, behind its domain where that is not ONNX's own: `Softmax`, `com.microsoft.Gelu`. */
  readonly operator: string;
  /** Names of tensors; empty for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** By their names. */
  readonly attributes: ReadonlyMap<string, NodeAttribute>;
  /** All of it but inputs and outputs, as the file has it. */
  readonly rest: Uint8Array;
}

/** What matters here of the setting of an operator. */
interface NodeAttribute {
  /** Its value, where that is an integer. */
  readonly integer?: number | undefined;
  /** Where it is a tensor. */
  readonly tensor?: TensorKind | undefined;
  /** Names that its graph takes from outside of itself or makes, where it is one. */
  readonly names: readonly string[];
}

/** What matters here of a tensor. */
export interface TensorKind {
  /** How many axes it has. */
  readonly rank: number;
  /** Of its values, as onnx.proto counts them. */
  readonly type: number;
}

/** A graph apart from its weights. */
export interface GraphInMemory {
  /** An ONNX file that refers to its weights. */
  readonly bytes: Buffer;
  /** Where the files lie that it refers to. */
  readonly folder: string;
}

/** @throws RangeError or Error for what is no node */
export function decodeNode(bytes: Uint8Array): GraphNode {
  const reader = protobuf.Reader.create(bytes);
  const [inputs, outputs, rest]: [string[], string[], Uint8Array[]] = [[], [], []];
  const attributes = new Map<string, NodeAttribute>();
  let [name, operator, domain] = ['', '', ''];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag === NODE.input * 8 + BLOCK) inputs.push(reader.string());
    else if (tag === NODE.output * 8 + BLOCK) outputs.push(reader.string());
    else if (tag === NODE.name * 8 + BLOCK) name = reader.string();
    else if (tag === NODE.operator * 8 + BLOCK) operator = reader.string();
    else if (tag === NODE.domain * 8 + BLOCK) domain = reader.string();
    else if (tag === NODE.attribute * 8 + BLOCK) {
      const { name: key, ...attribute } = decodeAttribute(reader.bytes());
      attributes.set(key, attribute);
    } else reader.skipType(tag & 7);
    const isRead = [NODE.input, NODE.output, NODE.doc].includes(tag >>> 3);
    if (!isRead) rest.push(bytes.subarray(start, reader.pos));
  }
  const isOwn = domain === '' || domain === 'ai.onnx';
  return {
    name,
    operator: isOwn ? operator : `${domain}.${operator}`,
    inputs,
    outputs,
    attributes,
    rest: Buffer.concat(rest),
  };
}

function decodeAttribute(bytes: Uint8Array): NodeAttribute & { readonly name: string } {
  const reader = protobuf.Reader.create(bytes);
  const names: string[] = [];
  let name = '';
  let integer: number | undefined;
  let tensor: TensorKind | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field === ATTRIBUTE.name) name = reader.string();
    else if (field === ATTRIBUTE.integer) integer = Number(reader.int64());
    else if (field === ATTRIBUTE.tensor) tensor = kindOf(reader.bytes());
    else if (field === ATTRIBUTE.graph || field === ATTRIBUTE.graphs) names.push(...namesIn(reader.bytes()));
    else reader.skipType(tag & 7);
  }
  return { name, integer, tensor, names };
}

/** @param bytes of a tensor, with its values or without */
export function kindOf(bytes: Uint8Array): TensorKind {
  const reader = protobuf.Reader.create(bytes);
  let [rank, type] = [0, 0];
  const readDimension = () => {
    reader.int64();
    rank += 1;
  };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const isPacked = (tag & 7) === BLOCK;
    if (tag >>> 3 === TENSOR.type) type = reader.int32();
    else if (tag >>> 3 !== TENSOR.dimension) reader.skipType(tag & 7);
    else if (isPacked) for (const end = reader.uint32() + reader.pos; reader.pos < end;) readDimension();
    else readDimension();
  }
  return { rank, type };
}

function namesIn(graph: Uint8Array): string[] {
  const reader = protobuf.Reader.create(graph);
  const names: string[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === GRAPH.node) names.push(...namesOf(decodeNode(reader.bytes())));
    else reader.skipType(tag & 7);
  }
  return names;
}

/** Every tensor that a node has to do with. */
function namesOf({ inputs, outputs, attributes }: GraphNode): string[] {
  return [...inputs, ...outputs, ...[...attributes.values()].flatMap(({ names }) => names)];
}

/** A node as a part of a graph, tag and length in front of it. */
export function encodeNode({
  inputs,
  outputs,
  rest,
}: Pick<GraphNode, 'inputs' | 'outputs' | 'rest'>): Buffer {
  const names = protobuf.Writer.create();
  for (const input of inputs) names.uint32(NODE.input * 8 + BLOCK).string(input);
  for (const output of outputs) names.uint32(NODE.output * 8 + BLOCK).string(output);
  return encodeBlock(GRAPH.node, Buffer.concat([names.finish(), rest]));
}

/** A new node of ONNX' own operators. @param attributes integers and encoded graphs, by their names */
export function encodeOperator(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, number | Uint8Array>> = {},
): Buffer {
  const rest = protobuf.Writer.create()
    .uint32(NODE.operator * 8 + BLOCK)
    .string(operator);
  for (const [name, value] of Object.entries(attributes)) {
    rest.uint32(NODE.attribute * 8 + BLOCK).fork();
    rest.uint32(ATTRIBUTE.name * 8 + BLOCK).string(name);
    if (typeof value === 'number') rest.uint32(ATTRIBUTE.integer * 8).int64(value);
    else rest.uint32(ATTRIBUTE.graph * 8 + BLOCK).bytes(value);
    const type = typeof value === 'number' ? ATTRIBUTE_TYPE.integer : ATTRIBUTE_TYPE.graph;
    rest
      .uint32(ATTRIBUTE.type * 8)
      .int32(type)
      .ldelim();
  }
  return encodeNode({ inputs, outputs, rest: rest.finish() });
}
