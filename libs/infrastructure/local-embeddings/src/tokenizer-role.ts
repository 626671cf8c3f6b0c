import { openTokenizer } from './model/open-model.ts';
import type {
  ItemFailure,
  ProcessOptions,
  ProcessRequest,
  TextPart,
  TokenWindow,
} from './process-protocol.ts';
import { SparseTextError, tokenWindow, type WindowTokenizer } from './text-window.ts';

/** What a tokenizer process does. */
export class TokenizerRole {
  readonly #tokenizer: WindowTokenizer;

  private constructor(tokenizer: WindowTokenizer) {
    this.#tokenizer = tokenizer;
  }

  static async load({ folder, model }: ProcessOptions): Promise<TokenizerRole> {
    return new TokenizerRole(await openTokenizer(folder, model));
  }

  get loaded() {
    return { cutSide: this.#tokenizer.settings.cutSide };
  }

  async perform(request: ProcessRequest) {
    if (request.type !== 'tokenize') throw new Error(`a tokenizer process does not ${request.type}`);
    const windows: (TokenWindow | ItemFailure)[] = [];
    for (const text of request.texts) windows.push(await this.#windowOf(text, request.limit));
    return { windows };
  }

  async #windowOf(text: TextPart, limit: number): Promise<TokenWindow | ItemFailure> {
    try {
      return await tokenWindow(text, limit, this.#tokenizer);
    } catch (error) {
      // Of other errors the name alone: their message may hold some of the text.
      return { failure: error instanceof SparseTextError ? error.message : (error as Error).name };
    }
  }
}
