import { realpathSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { type Attention, findAttention } from './attention.finder.ts';
import { blockConstants, inBlocks, shapeOutputs } from './attention-in-blocks.ts';
import {
  decodeNode,
  encodeNode,
  type GraphInMemory,
  type GraphNode,
  kindOf,
  type TensorKind,
} from './graph-node.ts';
import {
  ATTRIBUTE,
  BLOCK,
  encodeBlock,
  encodeText,
  ENTRY,
  EXTERNAL,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  TENSOR,
  VALUE,
} from './onnx-proto.ts';
import { ProtobufFile, type Range } from './protobuf-file.ts';

/** From this version of ONNX' operators on axes may be counted from the end. */
const LEAST_OPSET = 11;
/** Smaller tensors stay in the graph. */
const LEAST_WEIGHTS_BYTES = 4_096;

/** A graph whose attention is run in blocks. */
interface BlockedGraph extends GraphInMemory {
  /** Outputs with the shapes of further inputs of attention, such as masks: they are not in blocks. */
  readonly shapes: readonly string[];
}

/**
 * The graph of a file with its attention run in blocks of rows. Weights are not read, wherever they are: the new graph refers to
 * their places in their files.
 * @param blockRows rows of a block
 * @returns undefined where no attention is found that can be run so, or the runtime would not follow a reference: only to files of one
 * folder, which links may lead to
 * @throws ModelLoadError for a file that is no ONNX
 */
export async function readGraphInBlocks(path: string, blockRows: number): Promise<BlockedGraph | undefined> {
  const real = realpathSync(path);
  const folder = dirname(real);
  await using handle = await open(real);
  const file = new ProtobufFile(handle, basename(path));
  const locations = {
    own: basename(real),
    of: (location: string) => relative(folder, realpathSync(join(dirname(path), location))),
  };
  const rest: Buffer[] = [];
  let graph: Range | undefined;
  let opset = 0;
  for await (const field of file.fields(await file.whole())) {
    if (field.number === MODEL.graph) graph = field;
    else rest.push(await file.bytes({ start: field.tagAt, end: field.end }));
    if (field.number === MODEL.opset) opset = Math.max(opset, opsetOf(await file.bytes(field)));
  }
  if (!graph || opset < LEAST_OPSET) return undefined;
  const content = await readGraph(file, graph, locations);
  const found = findAttention(content);
  if (found.length === 0 || content.isScattered) return undefined;
  const sideShapes = shapeOutputs([...new Set(found.flatMap((attention) => attention.sideInputs))]);
  const parts = [...rewrite(content, found, blockRows), ...sideShapes.parts];
  const bytes = Buffer.concat([...rest, encodeBlock(MODEL.graph, Buffer.concat(parts))]);
  return { bytes, folder, shapes: sideShapes.names };
}

/** How files of weights are called from the folder of the graph. */
interface Locations {
  /** The graph's own. */
  readonly own: string;
  of(location: string): string;
}

/** A graph, in part as its file has it. */
interface GraphContent {
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly string[];
  readonly constants: ReadonlyMap<string, TensorKind>;
  /** What is known of the shapes of tensors between nodes, by their names. */
  readonly shapes: Map<string, Buffer>;
  /** All else, weights as references. */
  readonly rest: readonly Buffer[];
  /** Whether there are weights outside of the folder of the graph. */
  readonly isScattered: boolean;
}

async function readGraph(file: ProtobufFile, graph: Range, locations: Locations): Promise<GraphContent> {
  const nodes: GraphNode[] = [];
  const outputs: string[] = [];
  const constants = new Map<string, TensorKind>();
  const shapes = new Map<string, Buffer>();
  const rest: Buffer[] = [];
  let isScattered = false;
  const keep = ({ name, bytes, location }: ReadTensor) => {
    isScattered ||= location?.startsWith('..') ?? false;
    constants.set(name, kindOf(bytes));
    rest.push(encodeBlock(GRAPH.initializer, bytes));
  };
  for await (const field of file.fields(graph)) {
    const bytes = () => file.bytes({ start: field.tagAt, end: field.end });
    if (field.number === GRAPH.node) {
      const node = decodeNode(await file.bytes(field));
      const weights = node.operator === 'Constant' ? await weightsOf(file, field, locations) : undefined;
      if (weights) keep(named(weights, node.outputs[0] ?? ''));
      else nodes.push(node);
    } else if (field.number === GRAPH.initializer) keep(await readTensor(file, field, locations));
    else if (field.number === GRAPH.shape) shapes.set(nameOf(await file.bytes(field)), await bytes());
    else {
      if (field.number === GRAPH.output) outputs.push(nameOf(await file.bytes(field)));
      rest.push(await bytes());
    }
  }
  return { nodes, outputs, constants, shapes, rest, isScattered };
}

/** A tensor as a reference to its weights, where it has many. */
interface ReadTensor {
  readonly name: string;
  readonly bytes: Buffer;
  /** The file of its weights, where they are not in `bytes`. */
  readonly location?: string | undefined;
}

async function readTensor(file: ProtobufFile, tensor: Range, locations: Locations): Promise<ReadTensor> {
  const kept: Buffer[] = [];
  const reference = new Map<string, string | number>();
  let name = '';
  for await (const field of file.fields(tensor)) {
    const length = field.end - field.start;
    if (field.number === TENSOR.raw && length >= LEAST_WEIGHTS_BYTES) {
      reference.set('location', locations.own).set('offset', field.start).set('length', length);
    } else if (field.number === TENSOR.external) {
      const { key, value } = decodeEntry(await file.bytes(field));
      reference.set(key, key === 'location' ? locations.of(value) : value);
    } else {
      if (field.number === TENSOR.name) name = (await file.bytes(field)).toString();
      kept.push(await file.bytes({ start: field.tagAt, end: field.end }));
    }
  }
  const location = reference.get('location') as string | undefined;
  return { name, location, bytes: Buffer.concat([...kept, encodeReference(reference)]) };
}

/** The weights of a constant that is a node: exporters leave tables of positions so, with a file of their own. */
async function weightsOf(
  file: ProtobufFile,
  node: Range,
  locations: Locations,
): Promise<ReadTensor | undefined> {
  for await (const attribute of file.fields(node)) {
    if (attribute.number !== NODE.attribute) continue;
    for await (const value of file.fields(attribute)) {
      const tensor = value.number === ATTRIBUTE.tensor && (await readTensor(file, value, locations));
      if (tensor && tensor.location !== undefined) return tensor;
    }
  }
  return undefined;
}

/** A second name counts in place of the first. */
function named(tensor: ReadTensor, name: string): ReadTensor {
  return {
    ...tensor,
    name,
    bytes: Buffer.concat([tensor.bytes, encodeText(TENSOR.name, name)]),
  };
}

function decodeEntry(bytes: Uint8Array) {
  const reader = protobuf.Reader.create(bytes);
  const entry = { key: '', value: '' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === ENTRY.key) entry.key = reader.string();
    else if (tag >>> 3 === ENTRY.value) entry.value = reader.string();
    else reader.skipType(tag & 7);
  }
  return entry;
}

function encodeReference(entries: ReadonlyMap<string, string | number>): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [key, value] of entries) {
    writer.uint32(TENSOR.external * 8 + BLOCK).fork();
    writer.uint32(ENTRY.key * 8 + BLOCK).string(key);
    writer
      .uint32(ENTRY.value * 8 + BLOCK)
      .string(String(value))
      .ldelim();
  }
  // Once more where the tensor has been a reference already: the last one counts.
  return entries.size > 0
    ? writer
        .uint32(TENSOR.location * 8)
        .int32(EXTERNAL)
        .finish()
    : Buffer.of();
}

/** The graph with each attention in blocks, in the place of its last product: all that it takes is there by then. */
function rewrite(
  { nodes, shapes, rest }: GraphContent,
  found: readonly Attention[],
  blockRows: number,
): Buffer[] {
  const moved = new Set(found.flatMap(({ scores, inner }) => [scores, ...inner]));
  const places = new Map(found.map((attention, index) => [attention.context, inBlocks(attention, index)]));
  for (const name of [...moved].flatMap(({ outputs }) => outputs)) shapes.delete(name);
  return [
    ...nodes.flatMap((node) => (moved.has(node) ? [] : (places.get(node) ?? [encodeNode(node)]))),
    ...blockConstants(blockRows),
    ...shapes.values(),
    ...rest,
  ];
}

/** The version of ONNX' own operators that a file asks for; 0 where this is about others. */
function opsetOf(bytes: Uint8Array): number {
  const reader = protobuf.Reader.create(bytes);
  let [domain, version] = ['', 0];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === OPSET.domain) domain = reader.string();
    else if (tag >>> 3 === OPSET.version) version = Number(reader.int64());
    else reader.skipType(tag & 7);
  }
  return domain === '' || domain === 'ai.onnx' ? version : 0;
}

function nameOf(value: Uint8Array): string {
  const reader = protobuf.Reader.create(value);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === VALUE.name) return reader.string();
    reader.skipType(tag & 7);
  }
  return '';
}
