import type { PromptChoice, TokenRow } from '../model/embedding-model.types.ts';
import { leavesNoRoom, type PromptUse } from '../model/tokenizer/token-window.ts';
import type { CutSide, EmbeddingInput, ItemFailure, TextPart, TokenWindow } from './process-protocol.ts';

/** Characters for every token of the limit that are looked at in search of them; texts of words have four to six. */
const CHARACTERS_PER_TOKEN = 64;
/** At least so many, for models with a short limit. */
const LEAST_CHARACTERS = 32_768;
/** Characters for every token of the limit that are tried first. */
const FIRST_CHARACTERS_PER_TOKEN = 8;
/**
 * Tokens beyond the limit that a part of a text must give, at least. Where a tokenizer looks at a whole word, the tokens
 * beside the cut depend on what stood behind it, and some tokens reach across a space; those further away do not. Inside a
 * word it may take more of them: WordPiece gives up on a word above a length that
 * its file states, and has one token for it: a word that was cut has at most as many tokens, which all must be beyond the limit.
 */
const MARGIN_TOKENS = 64;

/** Characters of a text that can matter to a model that takes `limit` tokens: what stands behind them is not looked at. */
export function readableCharacters(limit: number): number {
  return Math.max(limit * CHARACTERS_PER_TOKEN, LEAST_CHARACTERS);
}

/** As much of a text as can matter: its beginning, or its end where the model drops the beginning. */
export function readablePart(text: string, limit: number, side: CutSide): TextPart {
  const readable = readableCharacters(limit);
  if (text.length <= readable) return { text, more: false };
  return { text: side === 'right' ? text.slice(0, readable) : text.slice(-readable), more: true };
}

/**
 * What of an input its vector depends on: inputs that share it share their vector. That a text goes on is part of it, as a mark
 * behind more characters than an unmarked text can have.
 */
export function significantPart(input: EmbeddingInput, limit: number, side: CutSide): EmbeddingInput {
  if (typeof input !== 'string') return readableIds(input, limit);
  const { text, more } = readablePart(input, limit, side);
  return more ? `${text}+` : text;
}

/** Room for the special tokens at either end of token ids. */
const SPECIAL_TOKENS_ROOM = 32;

/** Token ids of which the middle, where there is too much for any window, is left out. */
export function readableIds(ids: readonly number[], limit: number): readonly number[] {
  const part = limit + SPECIAL_TOKENS_ROOM;
  return ids.length <= 2 * part ? ids : [...ids.slice(0, part), ...ids.slice(-part)];
}

/** What makes token ids of texts and cuts them. */
interface WindowTokenizer {
  readonly settings: PromptUse & {
    /** Characters of a word above which it becomes one unknown token, where there is such a length. */
    readonly longestWord?: number | undefined;
  };
  tokenize(texts: readonly string[], choice?: PromptChoice): Promise<readonly TokenRow[]>;
  cut(row: TokenRow, limit: number): TokenRow;
}

/** Why a text has no window: what is read of it has too few tokens, and it goes on, or its prompt leaves it no room. */
export class NoWindowError extends Error {
  override readonly name = 'NoWindowError';

  readonly promptTokens: number | undefined;

  /** @param promptTokens those of its prompt, where that is all that fits. */
  constructor(message: string, promptTokens?: number) {
    super(message);
    this.promptTokens = promptTokens;
  }
}

/** The window of each text, or why it has none. */
export async function textWindows(
  texts: readonly TextPart[],
  limit: number,
  tokenizer: WindowTokenizer,
): Promise<(TokenWindow | ItemFailure)[]> {
  // Where one of them makes the library fail, each is tried alone.
  const short = await shortWindows(texts, limit, tokenizer).catch(() => []);
  const windows: (TokenWindow | ItemFailure)[] = [];
  for (const [place, text] of texts.entries())
    windows.push(short[place] ?? (await tokenWindow(text, limit, tokenizer).catch(failureOf)));
  return windows;
}

/** What is told of a text that has no window. */
export function failureOf(error: unknown): ItemFailure {
  if (error instanceof NoWindowError) return { failure: error.message, promptTokens: error.promptTokens };
  // Of other errors the name alone: their message may hold some of the text.
  return { failure: (error as Error).name };
}

/**
 * The windows of those texts that are short enough to be tokenised whole, at their places. They go to the library together: a
 * call costs more than a short text does.
 */
export async function shortWindows(
  texts: readonly TextPart[],
  limit: number,
  tokenizer: WindowTokenizer,
): Promise<(TokenWindow | undefined)[]> {
  const longest = firstLength(limit, tokenizer);
  const short = [...texts.entries()].filter(([, { text, more }]) => !more && text.length <= longest);
  const byPrompt = Map.groupBy(short, ([, { promptName, prompt }]) => JSON.stringify([promptName, prompt]));
  const windows = new Array<TokenWindow | undefined>(texts.length).fill(undefined);
  for (const group of byPrompt.values()) {
    const { promptName, prompt }: PromptChoice = group[0]?.[1] ?? {};
    const together = group.map(([, { text }]) => text);
    const rows = await tokenizer.tokenize(together, { promptName, prompt });
    group.forEach(([place], index) => {
      const row = rows[index] ?? { ids: [] };
      windows[place] = windowOf(row, limit, tokenizer);
    });
  }
  return windows;
}

/** @throws NoWindowError where the prompt is all that fits: every text would have the same vector */
function windowOf(row: TokenRow, limit: number, tokenizer: WindowTokenizer): TokenWindow {
  const { ids, promptTokens = 0 } = row;
  const truncated = ids.length > limit;
  if (truncated && leavesNoRoom(promptTokens, limit, tokenizer.settings))
    throw new NoWindowError('its prompt leaves no room for it', promptTokens);
  return { row: tokenizer.cut(row, limit), truncated };
}

/** Characters of a text that are tokenised first. */
function firstLength(limit: number, tokenizer: WindowTokenizer): number {
  return limit * FIRST_CHARACTERS_PER_TOKEN + marginOf(tokenizer);
}

function marginOf({ settings: { longestWord = 0 } }: WindowTokenizer): number {
  return Math.max(MARGIN_TOKENS, longestWord);
}

/**
 * The token ids of a text, at most `limit`, at a cost that does not grow with its length: a longer and longer part of it is
 * tokenised until there are enough.
 * @throws NoWindowError
 */
export async function tokenWindow(
  { text, more, ...choice }: TextPart,
  limit: number,
  tokenizer: WindowTokenizer,
): Promise<TokenWindow> {
  const { cutSide } = tokenizer.settings;
  const margin = marginOf(tokenizer);
  for (let length = firstLength(limit, tokenizer); ; length *= 4) {
    const part = partOf(text, length, cutSide);
    const [row = { ids: [] }] = await tokenizer.tokenize([part.text], choice);
    const count = row.ids.length;
    const isAll = part.text.length === text.length && !more;
    if (isAll || count > limit + (part.endsAtWord ? MARGIN_TOKENS : margin)) {
      return windowOf(row, limit, tokenizer);
    }
    if (length >= text.length) {
      const which = cutSide === 'right' ? 'first' : 'last';
      throw new NoWindowError(`its ${which} ${text.length} characters have only ${count} tokens`);
    }
  }
}

/** About `length` characters of a text. A beginning ends before a space where there is one: hardly a token reaches across that. */
function partOf(text: string, length: number, side: CutSide): { text: string; endsAtWord: boolean } {
  if (text.length <= length) return { text, endsAtWord: false };
  if (side === 'left') return { text: text.slice(-length), endsAtWord: false };
  for (let end = length; end > length / 2; end -= 1) {
    if (/^\S\s$/.test(text.slice(end - 1, end + 1))) return { text: text.slice(0, end), endsAtWord: true };
  }
  return { text: text.slice(0, length), endsAtWord: false };
}
