import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';

/** Of what a source says, as Anthropic's own citations have it. */
const LONGEST_QUOTE = 150;
/** More than any search finds: each is remembered until the answer ends. */
const MOST_SOURCES = 1_000;

/**
 * Where an answer that searched the web is from, each source once, as Anthropic's citations: OpenAI and OpenRouter have
 * `annotations` in a message, Perplexity and xAI `citations` beside the choices, and both again in each event.
 */
export class Sources {
  readonly #seen = new Set<unknown>();
  #untold: JsonObject[] = [];

  note(message: JsonObject, { citations }: JsonObject): void {
    const { annotations } = message;
    const found = [annotations, citations].flatMap((each) =>
      Array.isArray(each) ? (each as unknown[]) : [],
    );
    for (const citation of found.map(citationOf)) {
      if (citation === undefined || this.#seen.has(citation['url'])) continue;
      if (this.#seen.size >= MOST_SOURCES) return;
      this.#seen.add(citation['url']);
      this.#untold.push(citation);
    }
  }

  /** Those since the last time. */
  take(): readonly JsonObject[] {
    return this.#untold.length === 0 ? [] : this.#untold.splice(0);
  }
}

function citationOf(said: unknown): JsonObject | undefined {
  const named = isObject(said) && isObject(said['url_citation']) ? said['url_citation'] : said;
  const { url, title, content } = isObject(named) ? named : { url: named };
  if (textOrNone(url) === undefined) return undefined;
  return {
    type: 'web_search_result_location',
    url,
    title: textOrNone(title) ?? null,
    cited_text: textOrNone(content)?.slice(0, LONGEST_QUOTE) ?? '',
    encrypted_index: '',
  };
}
