import { isObject, type JsonObject } from '@morgan/foundation';

/** Of the languages and code that are asked about most. */
const BYTES_PER_TOKEN = 4;
/** Of an image of the largest size that is looked at as it is. */
const TOKENS_PER_IMAGE = 1_600;
/** Of a page of a PDF, in base64: about 100 kB, and 1,600 tokens. */
const BASE64_PER_TOKEN = 64;

/**
 * About how many tokens a message has as a prompt, where no host counts them: its system prompt, its tools and everything
 * that was said, with their structure, which models read too. Rather too many than too few: clients shorten a conversation
 * by it before it is too long.
 */
export function estimatedTokens({ system, messages, tools }: JsonObject): number {
  let ofFiles = 0;
  const text = JSON.stringify([system, messages, tools], (_, value: unknown) => {
    if (!isObject(value) || value['type'] !== 'base64' || typeof value['data'] !== 'string') return value;
    const { media_type: media, data } = value;
    const isImage = typeof media === 'string' && media.startsWith('image/');
    ofFiles += isImage ? TOKENS_PER_IMAGE : Math.ceil(data.length / BASE64_PER_TOKEN);
    return { media_type: media };
  });
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN) + ofFiles;
}
