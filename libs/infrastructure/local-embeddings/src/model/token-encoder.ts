import type { PreTrainedTokenizer } from '@huggingface/transformers';
import type { Tokenizer } from 'tokenizers';
import { ModelLoadError } from './model-load-error.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';

/** What makes token ids of texts. */
export interface TokenEncoder {
  /** The Rust library, or the JavaScript one that serves where it has no binary. */
  readonly kind: 'native' | 'javascript';
  readonly vocabularySize: number;
  /** @param specials whether special tokens are put around each text */
  encode(texts: readonly string[], specials: boolean): Promise<readonly (readonly number[])[]>;
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
  };
}

async function javascriptEncoder({ definition, settings }: Definition): Promise<TokenEncoder> {
  const library = await import('@huggingface/transformers');
  const tokenizer: PreTrainedTokenizer = new library.PreTrainedTokenizer(definition, { ...settings });
  return {
    kind: 'javascript',
    vocabularySize: tokenizer.get_vocab().size,
    encode: (texts, specials) =>
      Promise.resolve(texts.map((text) => tokenizer.encode(text, { add_special_tokens: specials }))),
  };
}
