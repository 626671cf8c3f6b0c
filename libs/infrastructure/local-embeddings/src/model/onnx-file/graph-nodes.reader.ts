import { open } from 'node:fs/promises';
import type { ModelFolder } from '../model-folder.ts';
import { decodeNode, type GraphNode } from './graph-node.ts';
import { GRAPH, MODEL } from './onnx-proto.ts';
import { ProtobufFile } from './protobuf-file.ts';

/** The nodes of a graph, in the order of the file; of graphs within a node none. @throws ModelLoadError for a file that is no ONNX */
export async function* readNodes(folder: ModelFolder, graph: string): AsyncGenerator<GraphNode> {
  await using handle = await open(folder.pathOf(graph));
  const file = new ProtobufFile(handle, graph);
  for await (const field of file.fields(await file.whole())) {
    if (field.number !== MODEL.graph || !field.isBlock) continue;
    for await (const part of file.fields(field))
      if (part.number === GRAPH.node && part.isBlock) yield decodeNode(await file.bytes(part));
  }
}
