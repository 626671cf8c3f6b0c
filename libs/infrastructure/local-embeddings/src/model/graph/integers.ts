/**
 * 32-bit integers as 64-bit ones, which graphs take. By halves, the lower one first as on every platform that the runtime has:
 * `BigInt64Array.from` makes an object of each number.
 */
export function toInt64(values: Int32Array): BigInt64Array<ArrayBuffer> {
  const wide = new BigInt64Array(values.length);
  const halves = new Int32Array(wide.buffer);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    halves[2 * index] = value;
    halves[2 * index + 1] = value >> 31;
  }
  return wide;
}
