import type { PairTokenizer } from '../model/pair-tokenizer.ts';
import { type OpenedTokenizer, openTokenizer } from '../model/open-model.ts';
import type { TextTokenizer } from '../model/text-tokenizer.ts';
import { pairWindow } from './pair-window.ts';
import type {
  ItemFailure,
  ProcessOptions,
  ProcessRequest,
  Task,
  TextPart,
  TokenWindow,
} from './process-protocol.ts';
import { shortWindows, NoWindowError, tokenWindow } from './text-window.ts';

/** What a tokenizer process does. */
export class TokenizerRole {
  readonly #tokenizer: TextTokenizer;
  readonly #digest: string;
  readonly #pairs: PairTokenizer | undefined;

  private constructor({ tokenizer, digest }: OpenedTokenizer, pairs: PairTokenizer | undefined) {
    this.#tokenizer = tokenizer;
    this.#digest = digest;
    this.#pairs = pairs;
  }

  static async load({ folder, model }: ProcessOptions): Promise<TokenizerRole> {
    const opened = await openTokenizer(folder, model);
    const { tokenizer } = opened;
    return new TokenizerRole(opened, tokenizer.readsPairs ? await tokenizer.pairs() : undefined);
  }

  get loaded() {
    return { digest: this.#digest, cutSide: this.#tokenizer.settings.cutSide };
  }

  async perform(request: ProcessRequest) {
    if (request.type === 'list') return this.#list(request);
    if (request.type !== 'tokenize') throw new Error(`a tokenizer process does not ${request.type}`);
    const { texts, limit } = request;
    const queries = new Map<TextPart, Promise<TokenWindow>>();
    const windows: (TokenWindow | ItemFailure)[] = [];
    // Where one of them makes the library fail, each is tried alone.
    const short = this.#pairs ? [] : await shortWindows(texts, limit, this.#tokenizer).catch(() => []);
    for (const [place, text] of texts.entries()) {
      const known = short[place];
      windows.push(known ?? (await this.#alone(text, limit, queries).catch(failureOf)));
    }
    return { windows };
  }

  async #list({ texts, specials }: Task<'list'>) {
    return { tokens: await Promise.all(texts.map((text) => this.#tokenizer.list(text, specials))) };
  }

  #alone(text: TextPart, limit: number, queries: Map<TextPart, Promise<TokenWindow>>): Promise<TokenWindow> {
    const { query } = text;
    return query ? this.#pairOf(text, query, limit, queries) : tokenWindow(text, limit, this.#tokenizer);
  }

  /** @param queries those of this task that are tokenised already */
  async #pairOf(
    text: TextPart,
    query: TextPart,
    limit: number,
    queries: Map<TextPart, Promise<TokenWindow>>,
  ): Promise<TokenWindow> {
    const pairs = this.#pairs;
    if (!pairs) throw new Error('the model reads no pairs');
    const before = queries.get(query) ?? tokenWindow(query, limit, pairs);
    queries.set(query, before);
    return pairWindow(await before, await tokenWindow(text, limit, pairs), limit, pairs);
  }
}

function failureOf(error: unknown): ItemFailure {
  // Of other errors the name alone: their message may hold some of the text.
  return { failure: error instanceof NoWindowError ? error.message : (error as Error).name };
}
