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
      if (module.type === 'dense') steps.push(dense(module, await weightsOf(folder, module.path)));
      else if (module.type === 'layer-norm')
        steps.push(layerNorm(module, await weightsOf(folder, module.path)));
      else if (module.type === 'normalize') steps.push(normalizeStep);
      else if (module.type === 'logit') steps.push(logitStep);
    }
    return new VectorHead(steps);
  }

  /** May change `vectors` in place. */
  apply(vectors: Vectors): Vectors {
    return this.#steps.reduce((current, step) => step(current), vectors);
  }
}

type Weights = (name: string, ...shape: number[]) => Float32Array;

async function weightsOf(folder: ModelFolder, path: string): Promise<Weights> {
  const file = posix.join(path, MODULE_WEIGHTS);
  const tensors = await readSafetensors(folder, file);
  return (name, ...shape) => {
    const tensor: WeightTensor | undefined = tensors.get(name);
    const expected = `[${shape.join(', ')}]`;
    if (!tensor) throw new ModelLoadError(`${file} has no ${name}, only: ${[...tensors.keys()].join(', ')}`);
    if (`[${tensor.shape.join(', ')}]` !== expected)
      throw new ModelLoadError(`${file}: ${name} is [${tensor.shape.join(', ')}] and should be ${expected}`);
    return tensor.data;
  };
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

function dense(module: DenseModule, weights: Weights): Step {
  const { inFeatures, outFeatures, path } = module;
  const matrix = weights('linear.weight', outFeatures, inFeatures);
  const bias = module.bias ? weights('linear.bias', outFeatures) : new Float32Array(outFeatures);
  const activate = ACTIVATION_FUNCTIONS[module.activation];
  const projects = module.residual && inFeatures !== outFeatures;
  const residual = projects ? weights('residual.weight', outFeatures, inFeatures) : undefined;
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

function layerNorm({ dimension, path }: LayerNormModule, weights: Weights): Step {
  const scale = weights('norm.weight', dimension);
  const bias = weights('norm.bias', dimension);
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
