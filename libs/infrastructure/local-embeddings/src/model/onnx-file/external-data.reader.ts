import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { ENTRY } from './onnx-proto.ts';
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
const MAX_NAME_BYTES = 4096;
const MAX_DEPTH = 64;

/**
 * The data files that a graph refers to, relative to the folder: weights above 2 GB never fit into the graph's own file,
 * and exporters name the rest as they like. Reads headers only, whatever the size of the file.
 * @throws ModelLoadError for a file that is no ONNX, or a reference that leads out of the folder
 */
export async function readExternalData(folder: ModelFolder, graph: string): Promise<readonly string[]> {
  folder.checkFetched(graph);
  await using file = await open(folder.pathOf(graph));
  const stats = await file.stat();
  if (!stats.isFile() || stats.size === 0)
    throw new ModelLoadError(`${graph} is ${stats.isFile() ? 'empty' : 'no file'}`);
  const content = new ProtobufFile(file, graph);
  const locations = new Set<string>();
  await collect(content, { kind: 'model', range: await content.whole(), depth: 0 }, locations);
  const names = [...locations].map((location) => posix.join(posix.dirname(graph), location));
  names.forEach((name) => folder.pathOf(name));
  return names.sort();
}

interface Message {
  readonly kind: string;
  readonly range: Range;
  readonly depth: number;
}

async function collect(
  file: ProtobufFile,
  { kind, range, depth }: Message,
  locations: Set<string>,
): Promise<void> {
  if (depth > MAX_DEPTH) throw file.damaged();
  const entry: Record<number, string> = {};
  for await (const field of file.fields(range)) {
    const child = CHILDREN[kind]?.[field.number];
    if (child !== undefined && field.isBlock)
      await collect(file, { kind: child, range: field, depth: depth + 1 }, locations);
    if (kind !== 'entry') continue;
    if (field.end - field.start > MAX_NAME_BYTES) throw file.damaged();
    entry[field.number] = (await file.bytes(field)).toString();
  }
  if (entry[ENTRY.key] === 'location') locations.add(entry[ENTRY.value] ?? '');
}
