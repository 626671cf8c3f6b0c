import { isObject, type JsonObject } from '@morgan/foundation';

/** How Google's API misses its signature of a call: another model has made it, or a client has left the field out that it does not know. */
export const SIGNATURE_MISSED = /\bmissing\W{1,3}(a\W{1,3})?thought_?signature\b/i;
/** What Google documents for calls that it has not signed. */
const UNSIGNED = 'skip_thought_signature_validator';

/** @returns the message itself where it has no call that wants a signature: of several the first has one for all. */
export function withSignedCall(message: unknown): unknown {
  const calls: unknown = isObject(message) ? message['tool_calls'] : undefined;
  if (!isObject(message) || !Array.isArray(calls)) return message;
  const [first, ...others] = calls as readonly unknown[];
  if (!isObject(first) || isSigned(first)) return message;
  const { extra_content: extra } = first;
  const google = { thought_signature: UNSIGNED };
  const signed = { ...first, extra_content: { ...(isObject(extra) && extra), google } };
  return { ...message, tool_calls: [signed, ...others] };
}

function isSigned({ extra_content: extra }: JsonObject): boolean {
  const google: unknown = isObject(extra) ? extra['google'] : undefined;
  return isObject(google) && Boolean(google['thought_signature']);
}
