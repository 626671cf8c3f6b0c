import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Device, ModelOptions } from '../embedding-model.types.ts';
import { readFirstPosition } from '../plan/first-position.reader.ts';
import { type BlocksRequest, type GraphOfBlocks, inBlocksIfSame } from './graph-in-blocks.ts';
import type { ModelFolder } from '../model-folder.ts';
import type { ModelPlan } from '../plan/model-plan.ts';
import { readLogicalNodes } from '../onnx-file/logical-nodes.reader.ts';
import { tokenTableGraph } from '../onnx-file/token-table.graph.ts';
import { OnnxGraph } from './onnx-graph.ts';
import type { TokenTable } from '../plan/token-table.reader.ts';

/** A graph and what there is to know for opening it. */
interface GraphRequest extends Pick<BlocksRequest, 'longest' | 'sample' | 'padId'> {
  readonly folder: ModelFolder;
  /** The graph, and the files of its weights, relative to the folder. */
  readonly file: string;
  readonly dataFiles: readonly string[];
  readonly plan: ModelPlan;
  /** What is looked up in place of running the file as a graph. */
  readonly table?: TokenTable | undefined;
  readonly options: ModelOptions;
}

/** A graph on the device that was chosen. Its notes name also the devices that `auto` tried in vain. */
export interface OpenedGraph extends GraphOfBlocks {
  readonly device: Device;
}

/** `auto` takes the first that works; the CPU always does. */
const AUTO_DEVICES: readonly Device[] = ['cuda', 'webgpu'];

/** Opens a graph on the configured device. @throws ModelLoadError */
export async function openGraph(request: GraphRequest): Promise<OpenedGraph> {
  const { device } = request.options;
  if (request.table) return openTable(request, request.table);
  if (device !== 'auto') return openOn(device, request);
  const notes: string[] = [];
  for (const candidate of AUTO_DEVICES) {
    try {
      return { ...(await openOn(candidate, request)), notes };
    } catch (error) {
      notes.push(`${candidate} is not used: ${(error as Error).message}`);
    }
  }
  const opened = await openOn('cpu', request);
  return { ...opened, notes: [...notes, ...opened.notes] };
}

/** As a graph that is made for it, so that all that is done with graphs is done with it. */
async function openTable({ folder, options }: GraphRequest, table: TokenTable): Promise<OpenedGraph> {
  const path = folder.pathOf(table.file);
  // Links may lead to where the file is, under any name.
  const file = realpathSync(path);
  const inMemory = { bytes: tokenTableGraph(table, basename(file)), folder: dirname(file) };
  const { threads, memoryArena = true } = options;
  const runner = await OnnxGraph.open(path, {
    device: 'cpu',
    threads,
    memoryArena,
    inMemory,
    mapped: [path],
  });
  return { runner, device: 'cpu', notes: [] };
}

async function openOn(device: Device, request: GraphRequest): Promise<OpenedGraph> {
  const { folder, file, dataFiles, plan, options } = request;
  const { threads, memoryArena = true, graph } = options;
  const common = { device, threads, memoryArena };
  if (plan.backend === 'transformers') {
    // A large library that the other backends need not load.
    const { TransformersGraph } = await import('./transformers-graph.ts');
    return { runner: await TransformersGraph.open(folder, file, common), device, notes: [] };
  }
  const settings = {
    ...common,
    inputs: graph?.inputs,
    firstPosition: await readFirstPosition(folder, plan.root),
    mapped: dataFiles.map((name) => folder.pathOf(name)),
    keptOnCpu: device === 'webgpu' ? await readLogicalNodes(folder, file) : [],
  };
  const path = folder.pathOf(file);
  const whole = await OnnxGraph.open(path, settings);
  if (device !== 'cpu') return { runner: whole, device, notes: [] };
  return { ...(await inBlocksIfSame(whole, { ...request, path, settings })), device };
}
