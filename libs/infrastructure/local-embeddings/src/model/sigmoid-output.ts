import { open } from 'node:fs/promises';
import type { ModelFolder } from './model-folder.ts';
import { type Field, ProtobufFile } from './protobuf-file.ts';

/** Numbers of fields of onnx.proto. */
const GRAPH = 7;
const NODE = 1;
const INPUT = 1;
const OUTPUT = 2;
const OPERATION = 4;
/** Operations that leave the values of their first input as they are. */
const SAME_VALUES = ['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'];

interface Node {
  readonly operation: string;
  readonly input: string;
}

/** Whether an output of a graph is what a Sigmoid gives: values between 0 and 1. @throws ModelLoadError for a file that is no ONNX */
export async function isSigmoid(folder: ModelFolder, graph: string, output: string): Promise<boolean> {
  const nodes = await readNodes(folder, graph);
  for (let node = nodes.get(output); node; node = nodes.get(node.input)) {
    if (node.operation === 'Sigmoid') return true;
    if (!SAME_VALUES.includes(node.operation)) return false;
  }
  return false;
}

/** The nodes of a graph by what they give. */
async function readNodes(folder: ModelFolder, graph: string): Promise<ReadonlyMap<string, Node>> {
  const handle = await open(folder.pathOf(graph));
  try {
    const file = new ProtobufFile(handle, graph);
    const nodes = new Map<string, Node>();
    for await (const field of file.fields({ start: 0, end: (await handle.stat()).size })) {
      if (field.number !== GRAPH || !field.isBlock) continue;
      for await (const part of file.fields(field))
        if (part.number === NODE && part.isBlock) await addNode(file, part, nodes);
    }
    return nodes;
  } finally {
    await handle.close();
  }
}

async function addNode(file: ProtobufFile, message: Field, nodes: Map<string, Node>): Promise<void> {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let operation = '';
  for await (const field of file.fields(message)) {
    if (field.number === INPUT) inputs.push(await file.text(field));
    else if (field.number === OUTPUT) outputs.push(await file.text(field));
    else if (field.number === OPERATION) operation = await file.text(field);
  }
  for (const output of outputs) nodes.set(output, { operation, input: inputs[0] ?? '' });
}
