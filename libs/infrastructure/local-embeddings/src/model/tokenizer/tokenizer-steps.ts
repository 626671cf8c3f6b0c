/** A step, as tokenizer.json writes it. */
type Step = Readonly<Record<string, unknown>> & { readonly type: string };

/** What is done to a text before its words are looked up, and how they are looked up. */
export interface TokenizerSteps {
  readonly normalizer?: Step | null | undefined;
  readonly pre_tokenizer?: Step | null | undefined;
  readonly model: Readonly<Record<string, unknown>> & {
    readonly type?: string | undefined;
    readonly vocab?: unknown;
    readonly max_input_chars_per_word?: number | undefined;
  };
}

/** What `tokenizer_config.json` says to a class. */
export interface ClassSettings {
  readonly tokenizer_class?: string | null | undefined;
  readonly do_lower_case?: boolean | null | undefined;
  readonly strip_accents?: boolean | null | undefined;
  readonly keep_accents?: boolean | null | undefined;
  readonly tokenize_chinese_chars?: boolean | null | undefined;
  readonly add_prefix_space?: boolean | null | undefined;
  readonly split_by_punct?: boolean | null | undefined;
  readonly legacy?: boolean | null | undefined;
  readonly unk_token?: string | { readonly content: string } | null | undefined;
}

type Make = (settings: ClassSettings, own: TokenizerSteps) => TokenizerSteps;

/** Classes of transformers that make these steps themselves: of `tokenizer.json` they take the vocabulary, for the model named here. */
export const CLASS_STEPS: readonly (readonly [name: RegExp, model: string, make: Make])[] = [
  [
    /^(Bert|DistilBert|Electra|Funnel|LayoutLM|Lxmert|MobileBert|MPNet|SqueezeBert)Tokenizer/,
    'WordPiece',
    wordPieces,
  ],
  // These have the setting, and lower all the same.
  [/^DPR\w+Tokenizer/, 'WordPiece', (settings, own) => wordPieces({ ...settings, do_lower_case: true }, own)],
  [/^(Bart|CodeGen|Deberta|GPT2|LED|Longformer|Mvp|Roberta)Tokenizer/, 'BPE', bytes],
  [/^(Camembert|T5|XLMRoberta)Tokenizer/, 'Unigram', markedWords],
  [/^AlbertTokenizer/, 'Unigram', albert],
  [/^DebertaV2Tokenizer/, 'Unigram', debertaV2],
  [/^Qwen(2|3_5)Tokenizer/, 'BPE', qwen],
  [/^GemmaTokenizer/, 'BPE', gemma],
  [/^LlamaTokenizer/, 'BPE', llama],
  [/^CLIPTokenizer/, 'BPE', clip],
  [/^HerbertTokenizer/, 'BPE', herbert],
];

function wordPieces(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  const unknown = contentOf(settings.unk_token);
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      lowercase: settings.do_lower_case ?? true,
      strip_accents: settings.strip_accents ?? null,
      handle_chinese_chars: settings.tokenize_chinese_chars ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      ...model,
      ...(unknown !== undefined && { unk_token: unknown }),
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  };
}

const PLAIN_BPE = {
  unk_token: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  continuing_subword_prefix: '',
  end_of_word_suffix: '',
};

function bytes(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  return { normalizer: null, pre_tokenizer: byteLevel(settings, true), model: { ...model, ...PLAIN_BPE } };
}

function byteLevel({ add_prefix_space: prefix }: ClassSettings, splits: boolean): Step {
  return { type: 'ByteLevel', add_prefix_space: prefix ?? false, trim_offsets: true, use_regex: splits };
}

type Prepending = 'always' | 'first' | 'never';

function metaspace(prepend_scheme: Prepending, split = true): Step {
  return { type: 'Metaspace', replacement: '▁', prepend_scheme, split };
}

/** A setting that is on unless a file says otherwise; as Python has it, a null says so. */
function isOn(setting: boolean | null | undefined): boolean {
  return setting === undefined || setting === true;
}

/** Words at white space, each with a mark before it. */
function markedSpaces(isAlways: boolean): Step {
  const marks = metaspace(isAlways ? 'always' : 'never');
  return { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, marks] };
}

/** The table that comes from sentencepiece. */
function tableOf({ normalizer }: TokenizerSteps): Step | undefined {
  const steps = normalizer?.type === 'Sequence' ? (normalizer['normalizers'] as Step[]) : [normalizer];
  return steps.find((step) => step?.type === 'Precompiled') ?? undefined;
}

/** Of the normalizer only the table stays. */
function markedWords(settings: ClassSettings, own: TokenizerSteps): TokenizerSteps {
  const name = settings.tokenizer_class ?? '';
  const unknown = name.startsWith('Camembert')
    ? Math.max(indexOf(own.model.vocab, contentOf(settings.unk_token) ?? '<unk>'), 0)
    : name.startsWith('T5')
      ? 2
      : 3;
  return {
    normalizer: tableOf(own) ?? null,
    pre_tokenizer: markedSpaces(name.startsWith('T5') || isOn(settings.add_prefix_space)),
    model: { ...own.model, unk_id: unknown, byte_fallback: false },
  };
}

function albert(settings: ClassSettings, own: TokenizerSteps): TokenizerSteps {
  const quotes = ['``', "''"].map((String) => ({ type: 'Replace', pattern: { String }, content: '"' }));
  const table = tableOf(own);
  const normalizers: Step[] = [
    ...quotes,
    ...(settings.keep_accents ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
    ...(isOn(settings.do_lower_case) ? [{ type: 'Lowercase' }] : []),
    ...(table ? [table] : []),
  ];
  return {
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: markedSpaces(isOn(settings.add_prefix_space)),
    model: { ...own.model, unk_id: 1, byte_fallback: false },
  };
}

/** The table of sentencepiece, which earlier versions used, is left out. */
function debertaV2(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  const spaces = { type: 'Replace', pattern: { Regex: '\\s{2,}|[\\n\\r\\t]' }, content: ' ' };
  const end = { type: 'Strip', strip_left: false, strip_right: true };
  const signs = { type: 'Punctuation', behavior: 'Isolated' };
  const unknown = indexOf(model.vocab, contentOf(settings.unk_token) ?? '[UNK]');
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [...(settings.do_lower_case ? [{ type: 'Lowercase' }] : []), spaces, { type: 'NFC' }, end],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...(settings.split_by_punct ? [signs] : []),
        metaspace(isOn(settings.add_prefix_space) ? 'always' : 'first'),
      ],
    },
    model: { ...model, unk_id: unknown < 0 ? 1 : unknown, byte_fallback: false },
  };
}

/** Words, single digits, signs, and white space up to the last one before a word. */
const QWEN_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?LETTERS+|\\p{N}| ?[^\\sMARKS\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function qwen(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  // Since version 3.5 marks belong to their letters.
  const [letters, marks] = settings.tokenizer_class?.startsWith('Qwen2')
    ? ['\\p{L}', '']
    : ['[\\p{L}\\p{M}]', '\\p{M}'];
  const words = QWEN_WORDS.replace('LETTERS', letters).replace('MARKS', marks);
  const split = { type: 'Split', pattern: { Regex: words }, behavior: 'Isolated', invert: false };
  return {
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel(settings, false)] },
    model: { ...model, ...PLAIN_BPE },
  };
}

const WITH_BYTES = { ...PLAIN_BPE, fuse_unk: true, byte_fallback: true };

function gemma(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  const space = { String: ' ' };
  return {
    normalizer: { type: 'Replace', pattern: space, content: '▁' },
    pre_tokenizer: { type: 'Split', pattern: space, behavior: 'MergedWithPrevious', invert: false },
    model: { ...model, ...WITH_BYTES, unk_token: contentOf(settings.unk_token) ?? '<unk>' },
  };
}

function llama(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  const prepending = settings.legacy ? 'always' : 'first';
  return {
    normalizer: null,
    pre_tokenizer: metaspace((settings.add_prefix_space ?? true) ? prepending : 'never', false),
    model: { ...model, ...WITH_BYTES },
  };
}

const CLIP_WORDS =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

function clip(settings: ClassSettings, { model }: TokenizerSteps): TokenizerSteps {
  const spaces = { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' };
  const split = { type: 'Split', pattern: { Regex: CLIP_WORDS }, behavior: 'Removed', invert: true };
  const unknown = contentOf(settings.unk_token) ?? '<|endoftext|>';
  return {
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, spaces, { type: 'Lowercase' }] },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel({}, true)] },
    model: { ...model, ...PLAIN_BPE, unk_token: unknown, end_of_word_suffix: '</w>' },
  };
}

/** BERT's words, which keep their case, in another model. */
function herbert({ unk_token: unknown }: ClassSettings, own: TokenizerSteps): TokenizerSteps {
  const { normalizer, pre_tokenizer } = wordPieces({ do_lower_case: false, strip_accents: false }, own);
  const model = { ...PLAIN_BPE, unk_token: contentOf(unknown) ?? '<unk>', end_of_word_suffix: '</w>' };
  return { normalizer, pre_tokenizer, model: { ...own.model, ...model } };
}

/** What a token is called, in either of its spellings. */
export function contentOf(token: ClassSettings['unk_token']): string | undefined {
  return typeof token === 'string' ? token : token?.content;
}

/** Of a token in a vocabulary with scores. */
function indexOf(vocabulary: unknown, token: string): number {
  return Array.isArray(vocabulary)
    ? (vocabulary as [string, number][]).findIndex(([entry]) => entry === token)
    : -1;
}
