import { basename, posix } from 'node:path';
import type { ModelOptions } from '../embedding-model.types.ts';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';

/** The graph that is loaded, and its number format. */
export interface GraphFile {
  readonly file: string;
  readonly dtype: string;
}

/** Names of graphs by number format, as transformers.js, optimum, sentence-transformers and FastEmbed write them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  fp32: ['model', 'model_optimized', 'model_fp32', 'model_O1', 'model_O2', 'model_O3'],
  fp16: ['model_fp16', 'model_float16', 'model_O4', 'model_optimized_fp16'],
  q8: [
    'model_quantized',
    'model_q8',
    'model_int8',
    'model_qint8_avx512_vnni',
    'model_qint8_avx512',
    'model_qint8_arm64',
    'model_quint8_avx2',
  ],
  int8: ['model_int8'],
  uint8: ['model_uint8'],
  q4: ['model_q4'],
  q4f16: ['model_q4f16'],
  bnb4: ['model_bnb4'],
};
const AUTO = ['fp32', 'q8', 'fp16', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'];
/** A GPU computes in 16 bits as exactly as the weights are, and faster. */
const AUTO_GPU = ['fp16', ...AUTO];
const FOLDERS = ['onnx', ''];
/** What helps where there is no graph at all. */
export const EXPORT =
  'Of weights for PyTorch `optimum-cli export onnx --model FOLDER FOLDER/onnx` makes the graph';

/** What decides which of several graphs is loaded. */
export type GraphChoice = Pick<ModelOptions, 'dtype' | 'device' | 'graph'> &
  Partial<Pick<ModelOptions, 'backend'>>;

/** The files that may hold the graph, the preferred ones first. */
export function graphCandidates({ dtype, device, graph }: GraphChoice, root: string): readonly string[] {
  if (graph?.file !== undefined) return [graph.file];
  const auto = device === 'cpu' || device === 'auto' ? AUTO : AUTO_GPU;
  const formats = dtype === 'auto' ? auto : [dtype];
  const bases = [...new Set([root, ''])];
  const folders = bases.flatMap((base) => FOLDERS.map((folder) => posix.join(base, folder)));
  return formats
    .flatMap((format) => NAMES[format] ?? [])
    .flatMap((name) => folders.map((folder) => posix.join(folder, `${name}.onnx`)));
}

/** Finds the graph. @throws ModelLoadError that lists what is there */
export function chooseGraphFile(folder: ModelFolder, root: string, choice: GraphChoice): GraphFile {
  const { dtype, graph } = choice;
  const candidates = graphCandidates(choice, root);
  const graphs = folder.graphs();
  // A name that nobody knows is no riddle where there is only one.
  const only = dtype === 'auto' && graph?.file === undefined && graphs.length === 1 ? graphs[0] : undefined;
  const file = candidates.find((name) => folder.has(name)) ?? only;
  if (file !== undefined) return { file, dtype: dtype === 'auto' ? dtypeOf(file) : dtype };
  const hint = graphs.length === 0 ? EXPORT : 'EMBEDDING_DTYPE and EMBEDDING_GRAPH_FILE choose the graph';
  throw new ModelLoadError(`${candidates[0]} is missing; there is: ${folder.listing()}. ${hint}`);
}

function dtypeOf(file: string): string {
  const name = basename(file, '.onnx');
  return Object.keys(NAMES).find((dtype) => NAMES[dtype]?.includes(name)) ?? 'fp32';
}
