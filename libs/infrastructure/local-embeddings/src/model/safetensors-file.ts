import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';

/** A tensor of a safetensors file, as 32-bit floats. */
export interface WeightTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Where a safetensors file has a tensor. */
export interface StoredTensor {
  /** As the file calls it, such as `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Its first byte in the file. */
  readonly start: number;
  readonly bytes: number;
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
/** Of one value. Of other formats the file alone says how long a tensor is. */
const VALUE_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I8: 1,
};

/**
 * Reads where the tensors of a file are: https://github.com/huggingface/safetensors#format. Of the file no more than its header.
 * @throws ModelLoadError for a file that is damaged
 */
export async function readStoredTensors(
  folder: ModelFolder,
  name: string,
): Promise<ReadonlyMap<string, StoredTensor>> {
  folder.checkFetched(name);
  await using file = await open(folder.pathOf(name));
  return await readHeader(file, name);
}

/**
 * Reads the tensors of the small layers beside a graph.
 * @throws ModelLoadError for a file that is damaged, or a number format that is not a float
 */
export async function readSafetensors(
  folder: ModelFolder,
  name: string,
): Promise<ReadonlyMap<string, WeightTensor>> {
  folder.checkFetched(name);
  await using file = await open(folder.pathOf(name));
  const tensors = new Map<string, WeightTensor>();
  for (const [key, tensor] of await readHeader(file, name)) {
    const where = `${name}: ${key}`;
    tensors.set(key, {
      shape: tensor.shape,
      data: toFloats(await readBytes(file, tensor, where), tensor.dtype, where),
    });
  }
  return tensors;
}

/**
 * Reads one tensor of whole numbers.
 * @throws ModelLoadError for a number format that is none of whole numbers
 */
export async function readIntegers(
  folder: ModelFolder,
  name: string,
  key: string,
  tensor: StoredTensor,
): Promise<Int32Array | BigInt64Array> {
  await using file = await open(folder.pathOf(name));
  const { buffer, byteOffset } = await readBytes(file, tensor, `${name}: ${key}`);
  if (tensor.dtype === 'I64') return new BigInt64Array(buffer, byteOffset, tensor.bytes / 8);
  if (tensor.dtype === 'I32') return new Int32Array(buffer, byteOffset, tensor.bytes / 4);
  throw new ModelLoadError(
    `${name}: ${key} has the number format ${tensor.dtype}; I32 and I64 are understood`,
  );
}

async function readHeader(file: FileHandle, name: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const { size } = await file.stat();
  const begin = Buffer.alloc(LENGTH_BYTES);
  await file.read(begin, 0, LENGTH_BYTES, 0);
  const headerBytes = Number(begin.readBigUInt64LE());
  const dataFrom = LENGTH_BYTES + headerBytes;
  if (headerBytes > MAX_HEADER_BYTES || dataFrom > size)
    throw new ModelLoadError(
      `${name} is not a safetensors file: it says that its header has ${headerBytes} bytes, where the file has ${size} and ${MAX_HEADER_BYTES} are the most`,
    );
  const bytes = Buffer.alloc(headerBytes);
  await file.read(bytes, 0, headerBytes, LENGTH_BYTES);
  const tensors = new Map<string, StoredTensor>();
  for (const [key, { dtype, shape, data_offsets: offsets }] of Object.entries(parseHeader(bytes, name))) {
    const length = offsets[1] - offsets[0];
    const valueBytes = VALUE_BYTES[dtype];
    const expected = valueBytes && shape.reduce((product, count) => product * count, valueBytes);
    if (length < 0 || (expected !== undefined && expected !== length))
      throw new ModelLoadError(
        `${name} is damaged: ${key} is [${shape.join(', ')}] of ${dtype}, and its data_offsets are ${offsets.join(' and ')}`,
      );
    if (dataFrom + offsets[1] > size)
      throw new ModelLoadError(
        `${name} is damaged: ${key} ends at byte ${dataFrom + offsets[1]}, and the file at ${size}`,
      );
    tensors.set(key, { dtype, shape, start: dataFrom + offsets[0], bytes: length });
  }
  return tensors;
}

function parseHeader(bytes: Buffer, name: string): z.output<typeof headerSchema> {
  try {
    const header = JSON.parse(bytes.toString()) as Record<string, unknown>;
    delete header['__metadata__'];
    return headerSchema.parse(header);
  } catch (cause) {
    throw new ModelLoadError(`${name} is not a safetensors file: its header is not understood`, { cause });
  }
}

async function readBytes(file: FileHandle, { start, bytes }: StoredTensor, where: string): Promise<Buffer> {
  if (bytes > MAX_TENSOR_BYTES)
    throw new ModelLoadError(`${where} has ${bytes} bytes; ${MAX_TENSOR_BYTES} are the most that are read`);
  const content = Buffer.alloc(bytes);
  await file.read(content, 0, bytes, start);
  return content;
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
