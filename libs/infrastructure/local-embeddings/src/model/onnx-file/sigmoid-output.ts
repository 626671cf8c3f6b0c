import type { ModelFolder } from '../model-folder.ts';
import type { GraphNode } from './graph-node.ts';
import { readNodes } from './graph-nodes.reader.ts';

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
  const producers = new Map<string, GraphNode>();
  for await (const node of readNodes(folder, graph))
    for (const output of node.outputs) producers.set(output, node);
  return producers;
}
