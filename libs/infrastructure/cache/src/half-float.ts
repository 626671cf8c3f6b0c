const MANTISSA_BITS = 10;
const EXPONENT_OFFSET = 112;
/** Between numbers below 6e-5. */
const SMALLEST_STEP = 2 ** -24;
/** The largest number that 16 bits hold. */
export const LARGEST_HALF = 65_504;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest number of 16 bits (IEEE 754 binary16) to one of 32, as its bits; for numbers up to {@link LARGEST_HALF}. */
export function toHalf(value: number): number {
  float[0] = value;
  const whole = bits[0] as number;
  const sign = (whole >>> 16) & 0x8000;
  const exponent = ((whole >>> 23) & 0xff) - EXPONENT_OFFSET;
  const mantissa = whole & 0x7fffff;
  if (exponent > 0) {
    const rest = (mantissa >>> 12) & 1;
    return sign | (((exponent << MANTISSA_BITS) | (mantissa >>> 13)) + rest);
  }
  // Below 6e-5 the steps are of equal size, 6e-8 each.
  const shift = 14 - exponent;
  if (shift > 24) return sign;
  const full = mantissa | 0x800000;
  return sign | ((full >>> shift) + ((full >>> (shift - 1)) & 1));
}

/** The number that 16 bits stand for. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000;
  const exponent = (half >>> MANTISSA_BITS) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return (sign ? -mantissa : mantissa) * SMALLEST_STEP;
  bits[0] = ((sign << 16) | ((exponent + EXPONENT_OFFSET) << 23) | (mantissa << 13)) >>> 0;
  return float[0] as number;
}
