import { env, InferenceSession, listSupportedBackends, type Tensor } from 'onnxruntime-node';
import type { Device } from '../embedding-model.types.ts';
import { GraphInputs, type GraphPort } from './graph-inputs.ts';
import type { GraphBatch, GraphOutput, GraphRunner } from './graph-runner.ts';
import { MappedFiles } from './mapped-files.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { ADDED } from '../onnx-file/attention-in-blocks.ts';
import type { GraphInMemory } from '../onnx-file/graph-node.ts';
import { halfToFloat } from '../safetensors-file.ts';

/** How a graph is opened. */
export interface OnnxGraphOptions {
  readonly device: Device;
  readonly threads: number;
  readonly memoryArena: boolean;
  /** See `GraphInputs`. */
  readonly inputs?: readonly string[] | undefined;
  readonly firstPosition?: number | undefined;
  /** Names of nodes that WebGPU is not to run. Default: none. */
  readonly keptOnCpu?: readonly string[] | undefined;
  /** What is run in place of the graph in the file, with the same weights. */
  readonly inMemory?: GraphInMemory | undefined;
  /** Paths of the files that the runtime goes on reading from. Default: none. */
  readonly mapped?: readonly string[] | undefined;
}

/** The runtime prints to stderr, which belongs to the log; what it says is in its errors too. */
const SILENT = 4;
env.logLevel = 'fatal';

/** An ONNX file, run by onnxruntime itself. */
export class OnnxGraph implements GraphRunner {
  readonly #session: InferenceSession;
  readonly #inputs: GraphInputs;
  readonly #outputs: readonly string[];
  readonly #mapped: MappedFiles;

  private constructor(session: InferenceSession, inputs: GraphInputs, mapped: MappedFiles) {
    this.#session = session;
    this.#inputs = inputs;
    this.#mapped = mapped;
    const ports = portsOf(session.outputMetadata);
    this.#outputs = ports
      .filter(({ name, type }) => type.startsWith('float') && !name.startsWith(ADDED))
      .map(({ name }) => name);
    if (this.#outputs.length > 0) return;
    const list = ports.map(({ name, type }) => `${name} (${type})`).join(', ');
    throw new ModelLoadError(`the graph has the outputs ${list}, and none of floating-point numbers`);
  }

  /** @throws ModelLoadError for a device that is not there, a file that is no graph, inputs that nothing feeds */
  static async open(path: string, options: OnnxGraphOptions): Promise<OnnxGraph> {
    const { device, threads, memoryArena, inMemory } = options;
    const settings = {
      executionProviders: [providerOf(device, options.keptOnCpu)],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableCpuMemArena: memoryArena,
      logSeverityLevel: SILENT,
    } as const;
    const mapped = new MappedFiles(options.mapped ?? []);
    let session: InferenceSession;
    try {
      session = inMemory
        ? await InferenceSession.create(inMemory.bytes, {
            ...settings,
            extra: { session: { model_external_initializers_file_folder_path: inMemory.folder } },
          })
        : await InferenceSession.create(path, settings);
    } catch (error) {
      mapped.close();
      const reason = (error as Error).message.trim();
      if (device === 'cpu')
        throw new ModelLoadError(`the graph cannot be opened: ${reason}`, { cause: error });
      const present = listSupportedBackends()
        .filter(({ bundled }) => bundled)
        .map(({ name }) => name);
      throw new ModelLoadError(
        `the device ${device} cannot be used here: ${reason} (this build of onnxruntime has ${present.join(', ')})`,
        { cause: error },
      );
    }
    try {
      const ports = portsOf(session.inputMetadata);
      return new OnnxGraph(session, new GraphInputs(ports, options.inputs, options.firstPosition), mapped);
    } catch (error) {
      mapped.close();
      await session.release();
      throw error;
    }
  }

  get length(): number | undefined {
    return this.#inputs.length;
  }

  run(batch: GraphBatch, output?: string): Promise<ReadonlyMap<string, GraphOutput>> {
    return this.runFor(batch, output === undefined ? this.#outputs : [output]);
  }

  /** As {@link run}, for several outputs, those that were added to the graph included. */
  async runFor(batch: GraphBatch, outputs: readonly string[]): Promise<ReadonlyMap<string, GraphOutput>> {
    const results = await this.#session.run(this.#inputs.tensors(batch), outputs, {
      logSeverityLevel: SILENT,
    });
    try {
      this.#mapped.check();
      return new Map(outputs.map((name) => [name, toOutput(results[name] as Tensor)]));
    } finally {
      for (const tensor of Object.values(results)) tensor.dispose();
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
    this.#mapped.close();
  }
}

/** The runtime takes no empty list. */
function providerOf(
  name: Device,
  keptOnCpu: readonly string[] = [],
): InferenceSession.ExecutionProviderConfig {
  return name === 'webgpu' && keptOnCpu.length > 0 ? { name, forceCpuNodeNames: keptOnCpu } : name;
}

function portsOf(metadata: readonly InferenceSession.ValueMetadata[]): GraphPort[] {
  return metadata.map((port) =>
    port.isTensor
      ? { name: port.name, type: port.type, shape: port.shape }
      : { name: port.name, type: 'no tensor', shape: [] },
  );
}

/** The floats of a tensor, as a copy that outlives it. */
export function toOutput({ data, dims, type }: Pick<Tensor, 'data' | 'dims' | 'type'>): GraphOutput {
  if (type === 'float32') return { data: new Float32Array(data as Float32Array), dims };
  const values = data as Uint16Array | Float32Array;
  // As 16-bit integers where the platform has no type for such numbers.
  if (values instanceof Uint16Array) return { data: Float32Array.from(values, halfToFloat), dims };
  return { data: Float32Array.from(values), dims };
}
