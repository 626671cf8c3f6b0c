import type { PairTokenizer } from '../model/tokenizer/pair-tokenizer.ts';
import { type OpenedTokenizer, openTokenizer } from '../model/open-model.ts';
import type { TextTokenizer } from '../model/tokenizer/text-tokenizer.ts';
import { pairWindow } from './pair-window.ts';
import type {
  ItemFailure,
  ProcessOptions,
  ProcessRequest,
  Task,
  TextPart,
  TokenWindow,
} from './process-protocol.ts';
import { packTokens, type PackedTokens } from './packed-tokens.ts';
import { failureOf, textWindows, tokenWindow } from './text-window.ts';

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
    const pairs = this.#pairs;
    return {
      windows: pairs
        ? await pairWindows(texts, limit, this.#tokenizer, pairs)
        : await textWindows(texts, limit, this.#tokenizer),
    };
  }

  async #list({ texts, specials, most }: Task<'list'>) {
    const lists: PackedTokens[] = [];
    let left = most;
    for (const text of texts) {
      const tokens = await this.#tokenizer.list(text, specials, left);
      if (!tokens) return { lists: undefined };
      left -= tokens.length;
      lists.push(packTokens(tokens));
    }
    return { lists };
  }
}

/** The window of each query and text, or why it has none. */
async function pairWindows(
  texts: readonly TextPart[],
  limit: number,
  tokenizer: TextTokenizer,
  pairs: PairTokenizer,
): Promise<(TokenWindow | ItemFailure)[]> {
  const queries = new Map<TextPart, Promise<TokenWindow | ItemFailure>>();
  const windowOf = async (text: TextPart) => {
    const { query } = text;
    if (!query) return tokenWindow(text, limit, tokenizer);
    const before = queries.get(query) ?? tokenWindow(query, limit, pairs).catch(failureOfQuery);
    queries.set(query, before);
    const first = await before;
    if ('failure' in first) return first;
    return pairWindow(first, await tokenWindow(text, limit, pairs), limit, pairs);
  };
  const windows: (TokenWindow | ItemFailure)[] = [];
  for (const text of texts) windows.push(await windowOf(text).catch(failureOf));
  return windows;
}

function failureOfQuery(error: unknown): ItemFailure {
  return { ...failureOf(error), ofQuery: true };
}
