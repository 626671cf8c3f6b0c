import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';

/**
 * Who recognises a call by a signature, and what stands between the id of the call and the signature then. Gemini refuses a call
 * of a tool that it does not recognise as its own so; a block of Anthropic's has no field for it, and clients keep none that they
 * do not know, but they send each id back as it came. Letters, digits, `_` and `-` are all that an id may have.
 */
const MARKS = [
  ['google', '_thought_'],
  ['vertex', '_vertexthought_'],
] as const;

/** The id of a call as its caller gets it: with the host's signature, where it has one. */
export function signedId(id: string, { extra_content: extra }: JsonObject): string {
  for (const [name, mark] of MARKS) {
    const fields = isObject(extra) ? extra[name] : undefined;
    const signature = isObject(fields) ? textOrNone(fields['thought_signature']) : undefined;
    if (signature !== undefined) return `${id}${mark}${Buffer.from(signature).toString('base64url')}`;
  }
  return id;
}

/** The id as the host knows it. */
export function bareId(id: unknown): unknown {
  return partsOf(id)?.id ?? id;
}

/** The field of a call that holds the signature in its id; none where there is none. */
export function signatureOf(id: unknown): JsonObject {
  const parts = partsOf(id);
  return parts ? { extra_content: { [parts.name]: { thought_signature: parts.signature } } } : {};
}

interface SignedId {
  readonly id: string;
  readonly name: string;
  readonly signature: string;
}

function partsOf(id: unknown): SignedId | undefined {
  if (typeof id !== 'string') return undefined;
  for (const [name, mark] of MARKS) {
    const at = id.indexOf(mark);
    if (at < 0) continue;
    const signature = Buffer.from(id.slice(at + mark.length), 'base64url').toString();
    return { id: id.slice(0, at), name, signature };
  }
  return undefined;
}
