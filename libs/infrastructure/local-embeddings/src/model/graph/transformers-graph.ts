import { basename, dirname } from 'node:path';
import { AutoModel, env, LogLevel, Tensor } from '@huggingface/transformers';
import type { Device } from '../embedding-model.types.ts';
import type { GraphBatch, GraphOutput, GraphRunner } from './graph-runner.ts';
import { toInt64 } from './integers.ts';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { toOutput } from './onnx-graph.ts';

type Model = Awaited<ReturnType<typeof AutoModel.from_pretrained>>;

/** How transformers.js opens a graph. */
interface TransformersGraphOptions {
  readonly device: Device;
  readonly threads: number;
  readonly memoryArena: boolean;
}

/** A model that transformers.js knows by its `config.json`, and feeds as that kind of model wants it. */
export class TransformersGraph implements GraphRunner {
  readonly #model: Model;
  readonly length = undefined;

  private constructor(model: Model) {
    this.#model = model;
  }

  /** @throws ModelLoadError with the library's reason */
  static async open(
    folder: ModelFolder,
    file: string,
    { device, threads, memoryArena }: TransformersGraphOptions,
  ): Promise<TransformersGraph> {
    // The library prints to stdout, which belongs to the log.
    env.logLevel = LogLevel.NONE;
    env.allowRemoteModels = false;
    const subfolder = dirname(file);
    try {
      const model = await AutoModel.from_pretrained(folder.path, {
        // The file is chosen already; this is the format whose name has no suffix.
        dtype: 'fp32',
        model_file_name: basename(file, '.onnx'),
        subfolder: subfolder === '.' ? '' : subfolder,
        device,
        session_options: { intraOpNumThreads: threads, interOpNumThreads: 1, enableCpuMemArena: memoryArena },
      });
      return new TransformersGraph(model);
    } catch (error) {
      throw new ModelLoadError(
        `transformers.js cannot open ${file} on ${device}: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  async run(
    { rows, length, ids, mask }: GraphBatch,
    output?: string,
  ): Promise<ReadonlyMap<string, GraphOutput>> {
    const integers = (values: Int32Array) => new Tensor('int64', toInt64(values), [rows, length]);
    const results = (await this.#model({
      input_ids: integers(ids),
      attention_mask: integers(mask),
    })) as Record<string, unknown>;
    const tensors = Object.entries(results).filter(([, value]) => value instanceof Tensor) as [
      string,
      Tensor,
    ][];
    try {
      const wanted = tensors.filter(([name, { type }]) =>
        output === undefined ? type.startsWith('float') : name === output,
      );
      return new Map(wanted.map(([name, tensor]) => [name, toOutput(tensor as never)]));
    } finally {
      for (const [, tensor] of tensors) tensor.dispose();
    }
  }

  async close(): Promise<void> {
    await this.#model.dispose();
  }
}
