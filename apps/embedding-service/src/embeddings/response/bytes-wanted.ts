/** The media type of an answer that is the bytes of its vectors and nothing else. */
export const BYTES_TYPE = 'application/octet-stream';

const JSON_TYPE = 'application/json';

/**
 * Whether an `accept` header asks for bytes: it names their type, and JSON not at all, with a lower weight, or behind it with
 * the same one. The wildcards of ordinary clients mean JSON.
 */
export function wantsBytes(accept = ''): boolean {
  if (!accept.toLowerCase().includes(BYTES_TYPE)) return false;
  const ranges = accept.toLowerCase().split(',').map(rangeOf);
  const [first] = ranges
    .filter(({ type, weight }) => (type === BYTES_TYPE || type === JSON_TYPE) && weight > 0)
    .sort((one, other) => other.weight - one.weight);
  return first?.type === BYTES_TYPE;
}

function rangeOf(range: string) {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
}
