import { z } from 'zod';

/** Why special tokens and padding are no choice. */
export const AS_MADE = 'texts are read as the model is made for it';

/** A field of other servers by which an answer would be another one: the value that changes nothing is taken. */
export function only<Value extends string | number | boolean>(value: Value, why: string) {
  return z
    .literal(value, `is not served, but for ${String(value)}: ${why}`)
    .nullish()
    .describe(`Only \`${String(value)}\` is served: ${why}.`);
}
