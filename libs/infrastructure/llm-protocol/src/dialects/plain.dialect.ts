import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import { type Dialect, NO_READING } from './dialect.ts';
import { completionUsage, counts, head, OPENAI_ERRORS } from './openai-shapes.ts';

/** What a transcript, speech or an image is told in, as OpenAI names it; other events of these are not the end either. */
const OF_MEDIA = /^(transcript\.text|speech\.audio|image_generation|image_edit)\./;
/** How vLLM tells what it heard: each piece of the sound has a reason to stop, and the whole an end marker. */
const OF_VLLM = /^(transcription|translation)\.chunk$/;
const LAST_OF_MEDIA = /\.(done|completed)$/;
/** Events that end a stream. Those of images are not among them, as there may be several. */
const LAST_OF_ALL = /^(transcript\.text|speech\.audio)\.done$/;

/**
 * Embeddings, rerank, audio and every path without a dialect of its own: any data is content, and a clean end is an end unless
 * the events themselves say that there is more to come.
 */
export const plainDialect: Dialect = {
  name: 'plain',
  textKey: undefined,
  resultKey: undefined,
  endMarker: undefined,
  hasEnd: false,
  readEvent: (json) => ({
    ...NO_READING,
    ...head(json),
    content: 'other',
    usage: usageIn(json),
    isPart: isPart(json),
    finished: LAST_OF_ALL.test(textOrNone(json['type']) ?? '') ? 1 : 0,
  }),
  readBody: (json) => ({ ...head(json), usage: usageIn(json) }),
  ...OPENAI_ERRORS,
};

function isPart({ type, object }: JsonObject): boolean | undefined {
  if (OF_VLLM.test(textOrNone(object) ?? '')) return true;
  return typeof type === 'string' && OF_MEDIA.test(type) ? !LAST_OF_MEDIA.test(type) : undefined;
}

/** Audio and images count as the Responses API does. */
function usageIn(json: JsonObject) {
  const { usage } = json;
  if (!isObject(usage)) return undefined;
  const { input_tokens: input, output_tokens: output, prompt_tokens: prompt, total_tokens: total } = usage;
  if (input !== undefined) return counts(input, output, undefined);
  if (prompt !== undefined) return completionUsage(json);
  // Rerankers write nothing, and some of them count nothing else; of an image the total may be what was made.
  const isSum = typeof total === 'number' && typeof output === 'number';
  return counts(isSum ? total - output : total, output, undefined);
}
