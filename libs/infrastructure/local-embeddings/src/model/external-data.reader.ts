import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';
import { ProtobufFile, type Range } from './protobuf-file.ts';

/**
 * Where an ONNX file can hold tensors, as paths of field numbers of onnx.proto: a message of the kind on the left has,
 * in the field in the middle, a message of the kind on the right.
 */
const CHILDREN: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
};
const ENTRY = { key: 1, value: 2 };
const MAX_DEPTH = 64;

/**
 * The data files that a graph refers to, relative to the folder: weights above 2 GB never fit into the graph's own file,
 * and exporters name the rest as they like. Reads headers only, whatever the size of the file.
 * @throws ModelLoadError for a file that is no ONNX, or a reference that leads out of the folder
 */
export async function readExternalData(folder: ModelFolder, graph: string): Promise<readonly string[]> {
  folder.checkFetched(graph);
  const file = await open(folder.pathOf(graph));
  try {
    const stats = await file.stat();
    const { size } = stats;
    if (!stats.isFile() || size === 0)
      throw new ModelLoadError(`${graph} is ${stats.isFile() ? 'empty' : 'no file'}`);
    const locations = new Set<string>();
    await visit(new ProtobufFile(file, graph), { kind: 'model', start: 0, end: size }, locations);
    const names = [...locations].map((location) => posix.join(posix.dirname(graph), location));
    names.forEach((name) => folder.pathOf(name));
    return names.sort();
  } finally {
    await file.close();
  }
}

/** Adds what the message of this kind, and all within it, refer to. */
async function visit(
  file: ProtobufFile,
  message: Range & { readonly kind: string },
  found: Set<string>,
  depth = 0,
): Promise<void> {
  if (depth > MAX_DEPTH) throw file.damaged();
  const { kind } = message;
  const entry: Record<number, string> = {};
  for await (const field of file.fields(message)) {
    const child = CHILDREN[kind]?.[field.number];
    if (child !== undefined && field.isBlock) await visit(file, { ...field, kind: child }, found, depth + 1);
    if (kind === 'entry') entry[field.number] = await file.text(field);
  }
  if (entry[ENTRY.key] === 'location') found.add(entry[ENTRY.value] ?? '');
}
