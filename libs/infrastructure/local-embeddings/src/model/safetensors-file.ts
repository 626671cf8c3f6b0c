import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';

/** A tensor of a safetensors file, as 32-bit floats. */
export interface WeightTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().min(0)),
    data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
  }),
);
const MAX_HEADER_BYTES = 16 * 1024 ** 2;
const MAX_TENSOR_BYTES = 1024 ** 3;
const LENGTH_BYTES = 8;

/**
 * Reads the tensors of the small layers beside a graph: https://github.com/huggingface/safetensors#format.
 * @throws ModelLoadError for a file that is damaged, or a number format that is not a float
 */
export async function readSafetensors(
  folder: ModelFolder,
  name: string,
): Promise<ReadonlyMap<string, WeightTensor>> {
  folder.checkFetched(name);
  const file = await open(folder.pathOf(name));
  try {
    const { size } = await file.stat();
    const read = async (start: number, length: number) => {
      if (start + length > size || length > MAX_TENSOR_BYTES)
        throw new ModelLoadError(`${name} is damaged: it ends before its contents do`);
      const bytes = Buffer.alloc(length);
      await file.read(bytes, 0, length, start);
      return bytes;
    };
    const headerBytes = Number((await read(0, LENGTH_BYTES)).readBigUInt64LE());
    if (headerBytes > MAX_HEADER_BYTES) throw new ModelLoadError(`${name} is not a safetensors file`);
    const header = JSON.parse((await read(LENGTH_BYTES, headerBytes)).toString()) as Record<string, unknown>;
    delete header['__metadata__'];
    const tensors = new Map<string, WeightTensor>();
    for (const [key, { dtype, shape, data_offsets: offsets }] of Object.entries(headerSchema.parse(header))) {
      const [start, end] = offsets;
      const data = toFloats(
        await read(LENGTH_BYTES + headerBytes + start, end - start),
        dtype,
        `${name}: ${key}`,
      );
      tensors.set(key, { shape, data });
    }
    return tensors;
  } catch (error) {
    if (error instanceof ModelLoadError) throw error;
    throw new ModelLoadError(`${name} is not a safetensors file`, { cause: error });
  } finally {
    await file.close();
  }
}

function toFloats(bytes: Buffer, dtype: string, where: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'F32':
      return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
    case 'F64':
      return Float32Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
    case 'F16':
      return Float32Array.from({ length: bytes.length / 2 }, (_, index) =>
        halfToFloat(view.getUint16(index * 2, true)),
      );
    case 'BF16':
      return new Float32Array(
        Uint32Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(index * 2, true) << 16)
          .buffer,
      );
    default:
      throw new ModelLoadError(
        `${where} has the number format ${dtype}; F32, F16, BF16 and F64 are understood`,
      );
  }
}

/** The value of an IEEE 754 half-precision number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
