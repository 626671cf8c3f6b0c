/** A piece of the published vocabulary; a few scores are null there. */
export type VocabularyEntry = readonly [piece: string, score: number | null];

const WORD_MARK = '\u2581';
const UNKNOWN_ID = 0;
const UNKNOWN_PIECE = '\ufffd';
const RESERVED_PIECES = 6;

// Reserved pieces must never be cut out of ordinary text such as "</s>". They stay in the vocabulary to keep the ids
// in place, with a score no segmentation would choose: spelling one out with its letters costs far less.
const NEVER_CHOSEN = -1000;

/** tokenizer.json: the unigram vocabulary in the layout that Hugging Face tokenizers read. */
export function tokenizerJson(vocabulary: readonly VocabularyEntry[]): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    // A Metaspace pre-tokenizer would leave out the leading mark where the text itself starts with a space, which the
    // model was not trained on; prepending before the replacement adds it always.
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFKC' },
        { type: 'Prepend', prepend: WORD_MARK },
        { type: 'Replace', pattern: { String: ' ' }, content: WORD_MARK },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: WORD_MARK, prepend_scheme: 'always', split: false },
    model: { type: 'Unigram', unk_id: UNKNOWN_ID, byte_fallback: false, vocab: vocabulary.map(scored) },
  };
}

/** The pieces with a colon lost their score in the published vocabulary; its own tokenizer then counts them as 0. */
function scored([piece, score]: VocabularyEntry, id: number): [string, number] {
  return [piece, id < RESERVED_PIECES ? NEVER_CHOSEN : (score ?? 0)];
}

/** tokenizer_config.json. Padding reuses the unknown piece: masked positions never reach the vector. */
export function tokenizerConfigJson(): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: 128,
    padding_side: 'right',
    truncation_side: 'right',
    unk_token: UNKNOWN_PIECE,
    pad_token: UNKNOWN_PIECE,
    clean_up_tokenization_spaces: false,
  };
}
