import { lastByte } from '../json/json-bytes.ts';

const CLOSING = '}'.charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);
const END_OF_NULL = 'l'.charCodeAt(0);

/** The field at the end of an object, or in front of the padding that OpenAI ends events with. */
const FIELD = /(,\s?"usage"\s?:\s?null)(?:,\s?"obfuscation"\s?:\s?"[\w-]*")?\}$/;
/** As long as that can be, without padding and with it. */
const LONGEST = 24;
const LONGEST_PADDED = 256;

/**
 * An event without its `usage` of null, which hosts add to each where token counts are asked for: whoever did not ask for them
 * does not expect it, and some clients refuse it. What ends otherwise is returned as it is.
 * @param raw an event whose data is a JSON object: the brace at its end is the object's own.
 */
export function withoutNullUsage(raw: Buffer): Buffer {
  const last = lastByte(raw);
  const before = raw[last - 1];
  if (raw[last] !== CLOSING || (before !== END_OF_NULL && before !== QUOTE)) return raw;
  const from = Math.max(0, last - (before === QUOTE ? LONGEST_PADDED : LONGEST));
  const found = FIELD.exec(raw.toString('latin1', from, last + 1));
  if (!found) return raw;
  const start = from + found.index;
  return Buffer.concat([raw.subarray(0, start), raw.subarray(start + (found[1] ?? '').length)]);
}
