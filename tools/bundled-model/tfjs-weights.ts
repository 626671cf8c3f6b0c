import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One tensor as TensorFlow.js stores it: little-endian bytes plus a shape. */
interface WeightTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Finds the one tensor whose name ends with the given suffix; throws when none or several do. */
export type FindWeight = (nameSuffix: string) => WeightTensor;

interface ModelJson {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly WeightSpec[];
  }[];
}

interface WeightSpec {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly quantization?: unknown;
}

const BYTES_PER_ELEMENT = 4;

/** Reads every weight of a TensorFlow.js graph model folder (model.json plus its binary shards). */
export async function readTfjsWeights(folder: string): Promise<FindWeight> {
  const { weightsManifest } = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as ModelJson;
  const tensors = new Map<string, WeightTensor>();
  for (const { paths, weights } of weightsManifest) {
    const shards = await Promise.all(paths.map((path) => readFile(join(folder, path))));
    sliceGroup(Buffer.concat(shards), weights, tensors);
  }
  return (nameSuffix) => findBySuffix(tensors, nameSuffix);
}

/** A group's shards are one byte stream: its tensors lie back to back in manifest order, across shard borders. */
function sliceGroup(stream: Buffer, specs: readonly WeightSpec[], into: Map<string, WeightTensor>): void {
  let offset = 0;
  for (const { name, dtype, shape, quantization } of specs) {
    if (quantization !== undefined || (dtype !== 'float32' && dtype !== 'int32')) {
      throw new Error(`weight ${name} is stored in a form this step does not read (${dtype})`);
    }
    const length = shape.reduce((product, size) => product * size, BYTES_PER_ELEMENT);
    into.set(name, { dtype, shape, bytes: stream.subarray(offset, offset + length) });
    offset += length;
  }
  if (offset !== stream.length) {
    throw new Error(`the weight shards hold ${stream.length} bytes where the manifest describes ${offset}`);
  }
}

function findBySuffix(tensors: ReadonlyMap<string, WeightTensor>, suffix: string): WeightTensor {
  const matches = [...tensors].filter(([name]) => name.endsWith(suffix)).map(([, tensor]) => tensor);
  const [tensor] = matches;
  if (tensor === undefined || matches.length > 1) {
    throw new Error(`${matches.length} weights match ${suffix}, expected exactly one`);
  }
  return tensor;
}
