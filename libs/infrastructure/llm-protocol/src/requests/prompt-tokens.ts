const TOKEN_BYTES = 4;
/** What hosts make of an image, or of some seconds of speech: a guess, as each of them counts in its own way. */
const TOKENS_OF_DATA = 1_000;
/** Shorter data is counted as text, which it may be. */
const LEAST_DATA_BYTES = 2 * TOKENS_OF_DATA * TOKEN_BYTES;
const DATA_URL = 'data:';
const BASE64 = ';base64,';
/** Where base64 begins in a data URL at the latest: types have some parameters. */
const LONGEST_TYPE_BYTES = 128;
/** The field that OpenAI and Anthropic have for it. */
const DATA_FIELD = 'data';
const DATA_MARKS = [`"${DATA_FIELD}":"`, `"${DATA_FIELD}": "`];
const QUOTE = 0x22;

/**
 * About how many tokens a prompt has, for limits and loads, until the host's own count is known: a quarter of its bytes,
 * but for images, sound and files, whose bytes say nothing of their tokens.
 */
export class PromptEstimate {
  #data = 0;
  #dataBytes = 0;

  /** A text of the body, between its quotes. @param field its key, as far as it may be `data` */
  text(body: Buffer, start: number, end: number, field?: string): void {
    if (end - start < LEAST_DATA_BYTES) return;
    const head = body.toString('latin1', start, start + LONGEST_TYPE_BYTES);
    const isUrl = head.startsWith(DATA_URL);
    const mark = isUrl ? head.indexOf(BASE64) : -1;
    const from = mark < 0 ? start : start + mark + BASE64.length;
    const isData = isUrl ? mark >= 0 : field === DATA_FIELD;
    if (!isData || end - from < LEAST_DATA_BYTES) return;
    this.#data += 1;
    this.#dataBytes += end - from;
  }

  /** @param bodyBytes of the whole body */
  tokens(bodyBytes: number): number {
    const tokens = (bodyBytes - this.#dataBytes) / TOKEN_BYTES + this.#data * TOKENS_OF_DATA;
    return Math.max(1, Math.ceil(tokens));
  }
}

/** The estimate of a body of which nobody has seen the texts. */
export function promptTokensOf(body: Buffer): number {
  const estimate = new PromptEstimate();
  if (body.length >= LEAST_DATA_BYTES) {
    for (const [start, end] of textsWith(BASE64, body)) estimate.text(body, start, end);
    for (const mark of DATA_MARKS)
      for (const [start, end] of textsWith(mark, body)) {
        const isUrl = body.toString('latin1', start, start + DATA_URL.length) === DATA_URL;
        if (!isUrl) estimate.text(body, start, end, DATA_FIELD);
      }
  }
  return estimate.tokens(body.length);
}

/** Texts that begin with the mark's last quote, or, where it has none, in front of it. */
function* textsWith(mark: string, body: Buffer): Generator<readonly [start: number, end: number]> {
  for (let at = body.indexOf(mark); at >= 0;) {
    const behind = at + mark.length;
    const end = body.indexOf(QUOTE, behind);
    if (end < 0) return;
    yield [mark === BASE64 ? body.lastIndexOf(QUOTE, at) + 1 : behind, end];
    at = body.indexOf(mark, end);
  }
}
