import { isObject, type JsonObject, textOrNone } from '../json-value.ts';

/**
 * Between the id of a call and what its host has to get back with it. Gemini refuses a call of a tool that it does not
 * recognise as its own by a signature; a block of Anthropic's has no field for it, and clients keep none that they do not
 * know, but they send each id back as it came. Letters, digits, `_` and `-` are all that an id may have.
 */
const MARK = '_thought_';

/** The id of a call as its caller gets it: with the host's signature, where it has one. */
export function signedId(id: string, { extra_content: extra }: JsonObject): string {
  const google = isObject(extra) ? extra['google'] : undefined;
  const signature = isObject(google) ? textOrNone(google['thought_signature']) : undefined;
  return signature === undefined ? id : `${id}${MARK}${Buffer.from(signature).toString('base64url')}`;
}

/** The id as the host knows it. */
export function bareId(id: unknown): unknown {
  return partsOf(id)?.id ?? id;
}

/** The field of a call that holds the signature in its id; none where there is none. */
export function signatureOf(id: unknown): JsonObject {
  const signature = partsOf(id)?.signature;
  return signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } };
}

function partsOf(id: unknown): { readonly id: string; readonly signature: string } | undefined {
  const at = typeof id === 'string' ? id.indexOf(MARK) : -1;
  if (typeof id !== 'string' || at < 0) return undefined;
  return { id: id.slice(0, at), signature: Buffer.from(id.slice(at + MARK.length), 'base64url').toString() };
}
