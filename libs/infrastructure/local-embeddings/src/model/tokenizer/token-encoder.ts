import type { PreTrainedTokenizer } from '@huggingface/transformers';
import type { Encoding, Tokenizer } from 'tokenizers';
import { ModelLoadError } from '../model-load-error.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';

/** What makes token ids of texts. */
export interface TokenEncoder {
  /** The Rust library, or the JavaScript one that serves where it has no binary. */
  readonly kind: 'native' | 'javascript';
  readonly vocabularySize: number;
  /** @param specials whether special tokens are put around each text */
  encode(texts: readonly string[], specials: boolean): Promise<readonly (readonly number[])[]>;
  /** The ids of each text without special tokens, and which word of it each belongs to. */
  encodeWords(texts: readonly string[]): Promise<readonly WordRow[]>;
  /** A text, or two as one row, with all special tokens and the type of each token. */
  encodeTyped(first: string, second: string | null): Promise<TypedRow>;
  /**
   * The tokens of a text, for who wants to see them.
   * @returns undefined where there are more than `most`
   * @throws Error where the library does not say where they stand
   */
  list(text: string, specials: boolean, most: number): Promise<readonly TextToken[] | undefined>;
}

/** Ids of a text, and where its words end. */
export interface WordRow {
  readonly ids: readonly number[];
  /** For each id the number of its word; undefined where the library does not say. */
  readonly words?: (() => readonly (number | null | undefined)[]) | undefined;
}

/** One token of a text. */
export interface TextToken {
  readonly id: number;
  /** As it stands in the text; a special token as it stands in the vocabulary. */
  readonly text: string;
  readonly special: boolean;
  /** Where it begins and ends, in Unicode characters; null for a special token. */
  readonly start: number | null;
  readonly stop: number | null;
}

/** A row of ids. As a rule the type is 1 for the second text of a pair, and 0 for all else. */
export interface TypedRow {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}

type Binding = Pick<typeof import('tokenizers'), 'Tokenizer'>;
type Definition = Pick<TokenizerFiles, 'definition' | 'settings'>;

/**
 * Opens the native tokenizer, or the JavaScript one where the package has no binary for this platform.
 * @param load gets the native library
 * @throws ModelLoadError for a tokenizer.json that is not understood
 */
export async function openEncoder(
  files: Definition,
  load: () => Promise<Binding> = () => import('tokenizers'),
): Promise<TokenEncoder> {
  const binding = await load().catch(() => undefined);
  try {
    return binding ? nativeEncoder(files, binding) : await javascriptEncoder(files);
  } catch (error) {
    throw new ModelLoadError(`tokenizer.json is not understood: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function nativeEncoder({ definition }: Definition, binding: Binding): TokenEncoder {
  const tokenizer: Tokenizer = binding.Tokenizer.fromString(JSON.stringify(definition));
  return {
    kind: 'native',
    vocabularySize: tokenizer.getVocabSize(true),
    encode: async (texts, addSpecialTokens) => {
      const encodings = await tokenizer.encodeBatch([...texts], { addSpecialTokens });
      return encodings.map((encoding) => encoding.getIds());
    },
    encodeWords: async (texts) => {
      const encodings = await tokenizer.encodeBatch([...texts], { addSpecialTokens: false });
      return encodings.map((encoding) => ({ ids: encoding.getIds(), words: () => encoding.getWordIds() }));
    },
    encodeTyped: async (first, second) => {
      const encoding = await tokenizer.encode(first, second, { addSpecialTokens: true });
      return { ids: encoding.getIds(), types: encoding.getTypeIds() };
    },
    list: async (text, addSpecialTokens, most) => {
      const encoding = await tokenizer.encode(text, null, { addSpecialTokens });
      return encoding.getLength() > most ? undefined : tokensOf(encoding, text);
    },
  };
}

function tokensOf(encoding: Encoding, text: string): TextToken[] {
  const characters = Array.from(text);
  const [tokens, offsets, specials] = [
    encoding.getTokens(),
    encoding.getOffsets(),
    encoding.getSpecialTokensMask(),
  ];
  return encoding.getIds().map((id, index) => {
    if (specials[index]) return { id, text: tokens[index] as string, special: true, start: null, stop: null };
    const [start = 0, stop = 0] = offsets[index] ?? [];
    return { id, text: characters.slice(start, stop).join(''), special: false, start, stop };
  });
}

async function javascriptEncoder({ definition, settings }: Definition): Promise<TokenEncoder> {
  const library = await import('@huggingface/transformers');
  // It knows the names of tokens, and objects of one kind alone.
  const names = Object.entries(settings).map(([key, value]) => [key, nameOf(value) ?? value]);
  const tokenizer: PreTrainedTokenizer = new library.PreTrainedTokenizer(
    definition,
    Object.fromEntries(names) as object,
  );
  return {
    kind: 'javascript',
    vocabularySize: tokenizer.get_vocab().size,
    encode: (texts, specials) =>
      Promise.resolve(texts.map((text) => tokenizer.encode(text, { add_special_tokens: specials }))),
    encodeWords: (texts) =>
      Promise.resolve(texts.map((text) => ({ ids: tokenizer.encode(text, { add_special_tokens: false }) }))),
    encodeTyped: (first, second) => {
      const options = { text_pair: second, return_tensor: false, return_token_type_ids: true } as const;
      const { input_ids: ids, token_type_ids: types } = tokenizer(first, options) as Record<string, number[]>;
      return Promise.resolve({ ids: ids ?? [], types: types ?? [] });
    },
    list: () => Promise.reject(new Error('the JavaScript tokenizer does not say where tokens stand')),
  };
}

function nameOf(setting: unknown): string | undefined {
  const isToken = typeof setting === 'object' && setting !== null && 'content' in setting;
  return isToken && typeof setting.content === 'string' ? setting.content : undefined;
}
