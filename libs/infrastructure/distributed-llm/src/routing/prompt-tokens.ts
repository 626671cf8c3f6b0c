const TOKEN_BYTES = 4;
/** What hosts make of an image, or of some seconds of speech: a guess, as each of them counts in its own way. */
const TOKENS_OF_DATA = 1_000;
/** What stands in front of base64: in a data URL, or as the value of the field that OpenAI and Anthropic have for it. */
const DATA_MARKS = [';base64,', '"data":"', '"data": "'];
/** Counted once, by the first of the marks. */
const DATA_URL = 'data:';
/** Shorter data is counted as text, which it may be. */
const LEAST_DATA_BYTES = 2 * TOKENS_OF_DATA * TOKEN_BYTES;
const QUOTE = 0x22;

/**
 * About how many tokens a prompt has, for limits and loads, until the host's own count is known: a quarter of its bytes,
 * but for images, sound and files, whose bytes say nothing of their tokens.
 */
export function promptTokensOf(body: Buffer): number {
  let tokens = body.length / TOKEN_BYTES;
  if (body.length >= LEAST_DATA_BYTES)
    for (const mark of DATA_MARKS)
      for (const bytes of dataBehind(mark, body)) tokens += TOKENS_OF_DATA - bytes / TOKEN_BYTES;
  return Math.max(1, Math.ceil(tokens));
}

/** How long each text is that stands behind the mark, of those that are long. */
function* dataBehind(mark: string, body: Buffer): Generator<number> {
  for (let at = body.indexOf(mark); at >= 0;) {
    const start = at + mark.length;
    const end = body.indexOf(QUOTE, start);
    if (end < 0) return;
    const isUrl = body.toString('latin1', start, start + DATA_URL.length) === DATA_URL;
    if (!isUrl && end - start >= LEAST_DATA_BYTES) yield end - start;
    at = body.indexOf(mark, end);
  }
}
