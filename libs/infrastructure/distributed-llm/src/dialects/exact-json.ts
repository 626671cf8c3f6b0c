/** Numbers of fewer digits are held exactly. */
const LONG_NUMBER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/** Not in TypeScript's library yet (ECMA-262, "JSON.rawJSON"). */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * `JSON.parse`, but an integer beyond 2^53 is kept as it is written, and `JSON.stringify` writes it so again: ids of 19
 * digits are common in arguments of tools. Takes up to four times as long where there is such a number.
 */
export function parseExactly(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
}

function exactly(_key: string, value: unknown, context: { readonly source?: string } = {}): unknown {
  const { source = '' } = context;
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(source);
  return isRounded ? rawJSON(source) : value;
}
