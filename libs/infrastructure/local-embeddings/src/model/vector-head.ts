import { posix } from 'node:path';
import { ACTIVATION_FUNCTIONS } from './activations.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';
import type { DenseModule, LayerNormModule, VectorModule } from './plan/model-plan.ts';
import { MODULE_WEIGHTS } from './plan/module-settings.reader.ts';
import { normalizeRows } from './normalize.ts';
import { readSafetensors, type WeightTensor } from './safetensors-file.ts';

/** Row after row, each of `dimensions` values. */
export interface Vectors {
  readonly data: Float32Array<ArrayBuffer>;
  readonly dimensions: number;
}

type Step = (vectors: Vectors) => Vectors;
const LAYER_NORM_EPSILON = 1e-5;
/** The numbers next to 0 and 1 that 32 bits have. */
const [LEAST_SHARE, MOST_SHARE] = [2 ** -149, 1 - 2 ** -24];

/** The weights of one module. Each tensor is read by its name, and none is left over: it would be part of a module of another kind. */
class ModuleWeights {
  readonly #file: string;
  readonly #tensors: ReadonlyMap<string, WeightTensor>;
  readonly #unread: Set<string>;

  private constructor(file: string, tensors: ReadonlyMap<string, WeightTensor>) {
    this.#file = file;
    this.#tensors = tensors;
    this.#unread = new Set(tensors.keys());
  }

  /** @throws ModelLoadError */
  static async open(folder: ModelFolder, path: string): Promise<ModuleWeights> {
    const file = posix.join(path, MODULE_WEIGHTS);
    return new ModuleWeights(file, await readSafetensors(folder, file));
  }

  /** @throws ModelLoadError for a tensor that is missing, of another shape, or with values that would make no vector finite */
  read(name: string, ...shape: number[]): Float32Array {
    const tensor = this.#tensors.get(name);
    const expected = `[${shape.join(', ')}]`;
    if (!tensor)
      throw new ModelLoadError(`${this.#file} has no ${name}, only: ${[...this.#tensors.keys()].join(', ')}`);
    if (`[${tensor.shape.join(', ')}]` !== expected)
      throw new ModelLoadError(
        `${this.#file}: ${name} is [${tensor.shape.join(', ')}] and should be ${expected}`,
      );
    if (!tensor.data.every(Number.isFinite))
      throw new ModelLoadError(`${this.#file}: ${name} has a value that is no finite number`);
    this.#unread.delete(name);
    return tensor.data;
  }

  /** @throws ModelLoadError for a tensor that nobody has read */
  checkAllRead(): void {
    const [name] = this.#unread;
    if (name === undefined) return;
    throw new ModelLoadError(
      `${this.#file} has ${name}, which a module with the settings of its config.json does not have`,
    );
  }
}

/** The steps that a vector takes after pooling, such as Dense and Normalize, in their order. */
export class VectorHead {
  readonly #steps: readonly Step[];

  private constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  /** Reads the weights of the modules. @throws ModelLoadError for weights that are missing or of another shape */
  static async load(folder: ModelFolder, modules: readonly VectorModule[]): Promise<VectorHead> {
    const steps: Step[] = [];
    for (const module of modules) {
      if (module.type === 'dense' || module.type === 'layer-norm') {
        const weights = await ModuleWeights.open(folder, module.path);
        steps.push(module.type === 'dense' ? dense(module, weights) : layerNorm(module, weights));
        weights.checkAllRead();
      } else if (module.type === 'normalize') steps.push(normalizeStep);
      else if (module.type === 'logit') steps.push(logitStep);
    }
    return new VectorHead(steps);
  }

  /** May change `vectors` in place. */
  apply(vectors: Vectors): Vectors {
    return this.#steps.reduce((current, step) => step(current), vectors);
  }
}

function normalizeStep(vectors: Vectors): Vectors {
  normalizeRows(vectors.data, vectors.dimensions);
  return vectors;
}

/** Takes a Sigmoid back. What it has rounded to 0 or 1 becomes the next number that it has not. */
function logitStep(vectors: Vectors): Vectors {
  vectors.data.forEach((value, index) => {
    const share = Math.min(Math.max(value, LEAST_SHARE), MOST_SHARE);
    vectors.data[index] = Number.isNaN(value) ? value : Math.log(share / (1 - share));
  });
  return vectors;
}

function dense(module: DenseModule, weights: ModuleWeights): Step {
  const { inFeatures, outFeatures, path } = module;
  const matrix = weights.read('linear.weight', outFeatures, inFeatures);
  const bias = module.bias ? weights.read('linear.bias', outFeatures) : new Float32Array(outFeatures);
  const activate = ACTIVATION_FUNCTIONS[module.activation];
  const projects = module.residual && inFeatures !== outFeatures;
  const residual = projects ? weights.read('residual.weight', outFeatures, inFeatures) : undefined;
  return ({ data, dimensions }) => {
    expectWidth(path, inFeatures, dimensions);
    const rows = data.length / inFeatures;
    const result = new Float32Array(rows * outFeatures);
    for (let row = 0; row < rows; row += 1) {
      const input = data.subarray(row * inFeatures, (row + 1) * inFeatures);
      for (let out = 0; out < outFeatures; out += 1) {
        let value = activate(dot(matrix, out * inFeatures, input) + (bias[out] as number));
        if (module.residual)
          value += residual ? dot(residual, out * inFeatures, input) : (input[out] as number);
        result[row * outFeatures + out] = value;
      }
    }
    return { data: result, dimensions: outFeatures };
  };
}

function layerNorm({ dimension, path }: LayerNormModule, weights: ModuleWeights): Step {
  const scale = weights.read('norm.weight', dimension);
  const bias = weights.read('norm.bias', dimension);
  return ({ data, dimensions }) => {
    expectWidth(path, dimension, dimensions);
    for (let start = 0; start < data.length; start += dimension) {
      const row = data.subarray(start, start + dimension);
      const mean = row.reduce((sum, value) => sum + value, 0) / dimension;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / dimension;
      const deviation = Math.sqrt(variance + LAYER_NORM_EPSILON);
      row.forEach((value, index) => {
        row[index] = ((value - mean) / deviation) * (scale[index] as number) + (bias[index] as number);
      });
    }
    return { data, dimensions };
  };
}

function dot(matrix: Float32Array, start: number, vector: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1)
    sum += (matrix[start + index] as number) * (vector[index] as number);
  return sum;
}

function expectWidth(path: string, expected: number, actual: number): void {
  if (expected !== actual)
    throw new ModelLoadError(
      `the module in ${path} takes ${expected} values, and ${actual} come out before it`,
    );
}
