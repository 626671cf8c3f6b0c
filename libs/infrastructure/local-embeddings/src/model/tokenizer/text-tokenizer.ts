import type { PromptChoice, TokenRow } from '../embedding-model.types.ts';
import type { ModelFolder } from '../model-folder.ts';
import type { ModelPlan } from '../plan/model-plan.ts';
import { PairTokenizer } from './pair-tokenizer.ts';
import { openEncoder, type TextToken, type TokenEncoder } from './token-encoder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import {
  cutToLimit,
  type SpecialTokens,
  specialTokensOf,
  type TokenTypes,
  tokenTypesOf,
  typesOf,
} from './token-window.ts';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';

/** What is still of use when the vocabulary is loaded. */
type TokenizerSettings = Pick<
  TokenizerFiles,
  | 'padId'
  | 'padSide'
  | 'cutSide'
  | 'leavesPromptOut'
  | 'maxTokens'
  | 'tellsTextsApart'
  | 'longestWord'
  | 'addedIds'
>;

const SAMPLE = 'a sample';
/** Letters that hardly a vocabulary has, and that no normalizer takes away. */
const RARE = '𒀀 𓀀 𐎀';

/** Makes token ids of texts, as the model's author does it. Needs no graph, so that it can run anywhere. */
export class TextTokenizer {
  readonly #encoder: TokenEncoder;
  readonly #plan: ModelPlan;
  readonly #specials: SpecialTokens;
  readonly #specialIds: ReadonlySet<number>;
  readonly #types: TokenTypes | undefined;
  readonly #droppedId: number | undefined;
  readonly settings: TokenizerSettings;

  private constructor(parts: {
    readonly encoder: TokenEncoder;
    readonly plan: ModelPlan;
    readonly settings: TokenizerSettings;
    readonly specials: SpecialTokens;
    readonly specialIds: ReadonlySet<number>;
    readonly types: TokenTypes | undefined;
    readonly droppedId: number | undefined;
  }) {
    this.#encoder = parts.encoder;
    this.#plan = parts.plan;
    this.settings = parts.settings;
    this.#specials = parts.specials;
    this.#specialIds = parts.specialIds;
    this.#types = parts.types;
    this.#droppedId = parts.droppedId;
  }

  /** @throws ModelLoadError */
  static async open(folder: ModelFolder, plan: ModelPlan): Promise<TextTokenizer> {
    const files = await readTokenizerFiles(folder, plan);
    const encoder = await openEncoder(files);
    const { ids, types } = await encoder.encodeTyped(SAMPLE, null);
    const [plain = []] = await encoder.encode([SAMPLE], false);
    const specials = specialTokensOf(ids, plain);
    if (specials.before.length + plain.length + specials.after.length !== ids.length)
      throw new ModelLoadError(
        'tokenizer.json is not understood: special tokens do not stand around the text',
      );
    await encoder.encode([RARE], false).catch((error: Error) => {
      throw new ModelLoadError(`tokenizer.json cannot make tokens of every text: ${error.message}`, {
        cause: error,
      });
    });
    const { padId, padSide, cutSide, leavesPromptOut, maxTokens, tellsTextsApart, longestWord, addedIds } =
      files;
    const cut = { cutSide, leavesPromptOut, maxTokens };
    const settings = { padId, padSide, ...cut, tellsTextsApart, longestWord, addedIds };
    const ownTypes = files.tellsTypes ? tokenTypesOf(types, specials) : undefined;
    const { droppedId, specialIds } = files;
    return new TextTokenizer({ encoder, plan, settings, specials, specialIds, types: ownTypes, droppedId });
  }

  /** The tokenizer of pairs of texts, as cross-encoders read them. @throws ModelLoadError */
  pairs(): Promise<PairTokenizer> {
    return PairTokenizer.open(this.#encoder, this.settings);
  }

  /** Whether the model reads pairs of texts. */
  get readsPairs(): boolean {
    return this.#plan.backend === 'cross-encoder';
  }

  /** How many special tokens stand around a text. */
  get specialTokens(): number {
    return this.#specials.before.length + this.#specials.after.length;
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
   * @throws RangeError for a prompt that the model does not have
   */
  async tokenize(texts: readonly string[], choice: PromptChoice = {}): Promise<TokenRow[]> {
    const prompt = this.#promptOf(choice);
    const rows = await this.#encode(texts.map((text) => prompt + text));
    const promptTokens = prompt === '' ? 0 : await this.#promptTokens(prompt);
    return rows.map((ids) => ({ ids, promptTokens }));
  }

  /** The tokens of a text as it is, without a prompt; undefined where there are more than `most`. */
  async list(text: string, specials: boolean, most: number): Promise<readonly TextToken[] | undefined> {
    const tokens = await this.#encoder.list(text.toWellFormed(), specials, most);
    return tokens?.filter(({ id }) => id !== this.#droppedId);
  }

  /** Cuts a row to `limit` tokens on the side that the model says; special tokens around it stay. */
  cut(row: TokenRow, limit: number): TokenRow {
    const { ids, promptTokens = 0 } = row;
    if (ids.length <= limit) return row;
    const cut = cutToLimit(ids, limit, this.#specials, this.settings.cutSide);
    return { ids: cut, promptTokens: Math.min(promptTokens, cut.length) };
  }

  /** The row with the types of its tokens, where they are not those that every row has. */
  typed(row: TokenRow): TokenRow {
    if (!this.#types || this.readsPairs) return row;
    return { ...row, types: typesOf(row.ids, this.#specials, this.#types) };
  }

  async #promptTokens(prompt: string): Promise<number> {
    const [ids = []] = await this.#encode([prompt]);
    // The closing token of the prompt alone is not there when a text follows.
    return ids.length - (this.#specialIds.has(ids.at(-1) ?? -1) ? 1 : 0);
  }

  async #encode(texts: readonly string[]): Promise<readonly (readonly number[])[]> {
    const rows = await this.#encoder.encode(
      texts.map((text) => text.toWellFormed()),
      true,
    );
    const dropped = this.#droppedId;
    return dropped === undefined ? rows : rows.map((ids) => ids.filter((id) => id !== dropped));
  }

  #promptOf({ promptName, prompt }: PromptChoice): string {
    if (prompt !== undefined) return prompt;
    const { prompts, defaultPrompt } = this.#plan;
    const chosen = promptName ?? defaultPrompt;
    if (chosen === undefined) return '';
    if (!Object.hasOwn(prompts, chosen)) throw new RangeError(`the model has no prompt "${chosen}"`);
    return prompts[chosen] as string;
  }
}
