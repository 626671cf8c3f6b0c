import type { TokenRow } from './embedding-model.types.ts';
import type { ModelFolder } from './model-folder.ts';
import type { ModelPlan } from './model-plan.ts';
import { openEncoder, type TokenEncoder } from './token-encoder.ts';
import { cutToLimit, type SpecialTokens, specialTokensOf } from './token-window.ts';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';

/** What is still of use when the vocabulary is loaded. */
export type TokenizerSettings = Pick<TokenizerFiles, 'padId' | 'padSide' | 'cutSide' | 'maxTokens'>;

const SAMPLE = 'a sample';

/** Makes token ids of texts, as the model's author does it. Needs no graph, so that it can run anywhere. */
export class TextTokenizer {
  readonly #encoder: TokenEncoder;
  readonly #plan: ModelPlan;
  readonly #specials: SpecialTokens;
  readonly #promptTokens: ReadonlyMap<string, number>;
  readonly settings: TokenizerSettings;

  private constructor(parts: {
    readonly encoder: TokenEncoder;
    readonly plan: ModelPlan;
    readonly settings: TokenizerSettings;
    readonly specials: SpecialTokens;
    readonly promptTokens: ReadonlyMap<string, number>;
  }) {
    this.#encoder = parts.encoder;
    this.#plan = parts.plan;
    this.settings = parts.settings;
    this.#specials = parts.specials;
    this.#promptTokens = parts.promptTokens;
  }

  /** @throws ModelLoadError */
  static async open(folder: ModelFolder, plan: ModelPlan): Promise<TextTokenizer> {
    const files = await readTokenizerFiles(folder, plan);
    const encoder = await openEncoder(files);
    const [wrapped, plain] = [await encoder.encode([SAMPLE], true), await encoder.encode([SAMPLE], false)];
    const specials = specialTokensOf(wrapped[0] ?? [], plain[0] ?? []);
    const promptTokens = new Map<string, number>();
    for (const prompt of Object.values(plan.prompts)) {
      if (prompt === '') continue;
      const [ids = []] = await encoder.encode([prompt], true);
      // The closing token of the prompt alone is not there when a text follows.
      const closed = files.specialIds.has(ids.at(-1) ?? -1);
      promptTokens.set(prompt, ids.length - (closed ? 1 : 0));
    }
    const { padId, padSide, cutSide, maxTokens } = files;
    const settings = { padId, padSide, cutSide, maxTokens };
    return new TextTokenizer({ encoder, plan, settings, specials, promptTokens });
  }

  /** Which library makes the ids. */
  get kind(): 'native' | 'javascript' {
    return this.#encoder.kind;
  }

  get vocabularySize(): number {
    return this.#encoder.vocabularySize;
  }

  /**
   * The ids of each text, special tokens and prompt included, uncut. A lone surrogate is read as U+FFFD.
   * @param promptName one of the model's prompts; its default prompt when undefined
   * @throws RangeError for a prompt that the model does not have
   */
  async tokenize(texts: readonly string[], promptName?: string): Promise<TokenRow[]> {
    const prompt = this.#promptOf(promptName);
    const rows = await this.#encoder.encode(
      texts.map((text) => (prompt + text).toWellFormed()),
      true,
    );
    const promptTokens = this.#promptTokens.get(prompt) ?? 0;
    return rows.map((ids) => ({ ids, promptTokens }));
  }

  /** Cuts a row to `limit` tokens on the side that the model says; special tokens around it stay. */
  cut({ ids, promptTokens = 0 }: TokenRow, limit: number): TokenRow {
    const cut = cutToLimit(ids, limit, this.#specials, this.settings.cutSide);
    return { ids: cut, promptTokens: Math.min(promptTokens, cut.length) };
  }

  #promptOf(name: string | undefined): string {
    const { prompts, defaultPrompt } = this.#plan;
    const chosen = name ?? defaultPrompt;
    if (chosen === undefined) return '';
    if (!Object.hasOwn(prompts, chosen)) throw new RangeError(`the model has no prompt "${chosen}"`);
    return prompts[chosen] as string;
  }
}
