import type { Device, ModelOptions } from './embedding-model.types.ts';
import { readFirstPosition } from './first-position.reader.ts';
import type { GraphRunner } from './graph-runner.ts';
import type { ModelFolder } from './model-folder.ts';
import type { ModelPlan } from './model-plan.ts';
import { OnnxGraph } from './onnx-graph.ts';

/** A graph on the device that was chosen. */
export interface OpenedGraph {
  readonly runner: GraphRunner;
  readonly device: Device;
  /** Devices that `auto` tried in vain, one sentence each. */
  readonly notes: readonly string[];
}

/** `auto` takes the first that works; the CPU always does. */
const AUTO_DEVICES: readonly Device[] = ['cuda', 'webgpu'];

/** Opens a graph on the configured device. @throws ModelLoadError */
export async function openGraph(
  folder: ModelFolder,
  file: string,
  plan: ModelPlan,
  options: ModelOptions,
): Promise<OpenedGraph> {
  const { device } = options;
  const open = (on: Device) => openOn(on, folder, file, { plan, options });
  if (device !== 'auto') return { runner: await open(device), device, notes: [] };
  const notes: string[] = [];
  for (const candidate of AUTO_DEVICES) {
    try {
      return { runner: await open(candidate), device: candidate, notes };
    } catch (error) {
      notes.push(`${candidate} is not used: ${(error as Error).message}`);
    }
  }
  return { runner: await open('cpu'), device: 'cpu', notes };
}

async function openOn(
  device: Device,
  folder: ModelFolder,
  file: string,
  { plan, options }: { readonly plan: ModelPlan; readonly options: ModelOptions },
): Promise<GraphRunner> {
  const { threads, memoryArena = true, graph } = options;
  const common = { device, threads, memoryArena };
  if (plan.backend !== 'transformers') {
    const firstPosition = await readFirstPosition(folder, plan.root);
    return OnnxGraph.open(folder.pathOf(file), { ...common, inputs: graph?.inputs, firstPosition });
  }
  // A large library that the other backends need not load.
  const { TransformersGraph } = await import('./transformers-graph.ts');
  return TransformersGraph.open(folder, file, common);
}
