import { cutDimensions, normalize } from '@morgan/local-embeddings';

/** Number formats of vectors in answers, as Cohere and Voyage name them. */
export const OUTPUT_TYPES = ['float', 'int8', 'uint8', 'binary', 'ubinary'] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** The values of a vector as they are sent. */
type OutputVector = Float32Array | Int8Array | Uint8Array;

/** What is made of a full vector for a response. */
export interface OutputShape {
  /** Values that are kept. */
  readonly dimensions: number;
  readonly type: OutputType;
  /** Whether a `float` vector has length 1. Default: where it is cut; else it is as the model gives it. */
  readonly normalize?: boolean | undefined;
}

/**
 * A vector in the shape of a response. The small types are made of the vector at length 1: `int8` is `round(127 v)`, `uint8`
 * that plus 128, `ubinary` one bit for each value, set where it is above 0, most significant bit first and the last byte
 * filled up with zeros, `binary` these bytes minus 128.
 */
export function shapeVector(vector: Float32Array, shape: OutputShape): OutputVector {
  const { dimensions, type, normalize: scales } = shape;
  if (type === 'float' && scales === false) return vector.slice(0, dimensions);
  const cut = dimensions === vector.length ? vector : cutDimensions(vector, dimensions);
  if (type === 'float' && !scales) return cut;
  const unit = cut.slice();
  normalize(unit);
  switch (type) {
    case 'float':
      return unit;
    case 'int8':
      return Int8Array.from(unit, int8Of);
    case 'uint8':
      return Uint8Array.from(unit, (value) => int8Of(value) + 128);
    case 'binary':
      return Int8Array.from(packBits(unit), (byte) => byte - 128);
    case 'ubinary':
      return packBits(unit);
  }
}

/** Bytes that a vector takes in a response, before base64. */
export function bytesOf({ dimensions, type }: OutputShape): number {
  if (type === 'float') return dimensions * Float32Array.BYTES_PER_ELEMENT;
  return type === 'int8' || type === 'uint8' ? dimensions : Math.ceil(dimensions / 8);
}

function int8Of(value: number): number {
  return Math.max(-128, Math.min(127, Math.round(value * 127)));
}

function packBits(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, index) => {
    if (value > 0) bytes[index >> 3] = (bytes[index >> 3] as number) | (128 >> (index & 7));
  });
  return bytes;
}
