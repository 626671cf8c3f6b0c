import { open } from 'node:fs/promises';
import type { ModelFolder } from '../model-folder.ts';
import { decodeNode, type GraphNode } from './graph-node.ts';
import { ProtobufFile } from './protobuf-file.ts';

// Field numbers of onnx.proto.
const GRAPH = 7;
const NODE = 1;

/** The nodes of a graph, in the order of the file; of graphs within a node none. @throws ModelLoadError for a file that is no ONNX */
export async function* readNodes(folder: ModelFolder, graph: string): AsyncGenerator<GraphNode> {
  await using handle = await open(folder.pathOf(graph));
  const file = new ProtobufFile(handle, graph);
  for await (const field of file.fields(await file.whole())) {
    if (field.number !== GRAPH || !field.isBlock) continue;
    for await (const part of file.fields(field))
      if (part.number === NODE && part.isBlock) yield decodeNode(await file.bytes(part));
  }
}
