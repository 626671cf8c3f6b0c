import { open } from 'node:fs/promises';
import type { ModelFolder } from '../model-folder.ts';
import { decodeNode, type GraphNode } from './graph-node.ts';
import { ProtobufFile } from './protobuf-file.ts';

// Field numbers of onnx.proto.
const GRAPH = 7;
const NODE = 1;
/** Operators that leave the values of their first input as they are. */
const SAME_VALUES = ['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'];

/** Whether an output of a graph is what a Sigmoid gives: values between 0 and 1. @throws ModelLoadError for a file that is no ONNX */
export async function isSigmoid(folder: ModelFolder, graph: string, output: string): Promise<boolean> {
  const producers = await readProducers(folder, graph);
  let node = producers.get(output);
  while (node && SAME_VALUES.includes(node.operator)) node = producers.get(node.inputs[0] ?? '');
  return node?.operator === 'Sigmoid';
}

/** The nodes of a graph by what they give. */
async function readProducers(folder: ModelFolder, graph: string): Promise<ReadonlyMap<string, GraphNode>> {
  await using handle = await open(folder.pathOf(graph));
  const file = new ProtobufFile(handle, graph);
  const producers = new Map<string, GraphNode>();
  for await (const field of file.fields(await file.whole())) {
    if (field.number !== GRAPH || !field.isBlock) continue;
    for await (const part of file.fields(field)) {
      if (part.number !== NODE || !part.isBlock) continue;
      const node = decodeNode(await file.bytes(part));
      for (const output of node.outputs) producers.set(output, node);
    }
  }
  return producers;
}
