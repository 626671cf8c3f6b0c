import type { ModelFolder } from '../model-folder.ts';
import { readNodes } from './graph-nodes.reader.ts';

const LOGICAL: ReadonlySet<string> = new Set(['And', 'Or', 'Xor']);

/**
 * The names of the nodes of a graph that are to stay on the CPU where the rest runs on WebGPU: onnxruntime 1.30 computes these operators
 * wrongly there where the shapes of both sides differ, as in the masks of ModernBERT. They are a few numbers a text; one without a name
 * cannot be kept.
 * @throws ModelLoadError for a file that is no ONNX
 */
export async function readLogicalNodes(folder: ModelFolder, graph: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { operator, name } of readNodes(folder, graph))
    if (LOGICAL.has(operator) && name !== '') names.push(name);
  return names;
}
