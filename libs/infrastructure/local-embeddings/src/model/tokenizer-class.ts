import { ModelLoadError } from './model-load-error.ts';

type Step = Readonly<Record<string, unknown>> & { readonly type: string };

/** What is done to a text before its words are looked up. */
export interface TokenizerSteps {
  readonly normalizer?: Step | null | undefined;
  readonly pre_tokenizer?: Step | null | undefined;
}

/** What `tokenizer_config.json` says to a class. */
export interface ClassSettings {
  readonly tokenizer_class?: string | null | undefined;
  readonly do_lower_case?: boolean | null | undefined;
  readonly strip_accents?: boolean | null | undefined;
  readonly tokenize_chinese_chars?: boolean | null | undefined;
  readonly add_prefix_space?: boolean | null | undefined;
}

type Make = (settings: ClassSettings, own: TokenizerSteps) => TokenizerSteps;

/** Classes of transformers that make these steps themselves: of `tokenizer.json` they take the vocabulary, for the model named here. */
const CLASSES: readonly (readonly [name: RegExp, model: string, make: Make])[] = [
  [
    /^(Bert|ConvBert|DistilBert|Electra|Funnel|LayoutLM|MobileBert|MPNet|SqueezeBert)Tokenizer/,
    'WordPiece',
    wordPieces,
  ],
  [/^(Bart|Deberta|GPT2|LED|Longformer|Roberta)Tokenizer/, 'BPE', bytes],
  [/^(Camembert|T5|XLMRoberta)Tokenizer/, 'Unigram', markedWords],
  [/^Qwen2Tokenizer/, 'BPE', qwen],
];

const NETWORKS: Readonly<Record<string, string>> = {
  BertTokenizer:
    'bert convbert distilbert electra ernie layoutlm megatron-bert mobilebert nomic_bert squeezebert',
  CamembertTokenizer: 'camembert',
  DebertaTokenizer: 'deberta',
  FunnelTokenizer: 'funnel',
  GPT2Tokenizer: 'codegen gpt2 gpt_neo gptj opt phi',
  MPNetTokenizer: 'mpnet',
  Qwen2Tokenizer: 'qwen2 qwen3',
  RobertaTokenizer: 'bart data2vec-text ibert lilt longformer mra roberta roberta-prelayernorm',
  T5Tokenizer: 'mt5 t5',
  XLMRobertaTokenizer: 'gte jina_embeddings_v3 xlm-roberta xmod',
};
/** Networks whose `tokenizer.json` is used as it is, whatever class the files name. */
const KEEPING = 'modernbert nystromformer umt5 xlm-roberta-xl';

const has = (list: string | undefined, network: string) => list?.split(' ').includes(network) ?? false;

/**
 * The class that transformers takes, where it is one that matters here.
 * @param named by a file
 * @param network `model_type` of config.json
 */
export function classOf(named: string | null | undefined, network = ''): string | undefined {
  if (has(KEEPING, network)) return undefined;
  return named ?? Object.keys(NETWORKS).find((name) => has(NETWORKS[name], network));
}

/**
 * The steps of a tokenizer as its class in transformers has them.
 * @param model the type of the model in tokenizer.json, where it says one
 * @throws ModelLoadError for a class that makes another model of the vocabulary
 */
export function asClassHasIt(
  own: TokenizerSteps,
  settings: ClassSettings,
  model: string | undefined,
): TokenizerSteps {
  const name = settings.tokenizer_class ?? '';
  const [, wanted, make] = CLASSES.find(([pattern]) => pattern.test(name)) ?? [];
  if (!make) return { normalizer: own.normalizer, pre_tokenizer: own.pre_tokenizer };
  if (model === undefined || model === wanted) return make(settings, own);
  throw new ModelLoadError(
    `the class ${name} makes ${wanted} of a vocabulary, and tokenizer.json is ${model}: transformers 4 obeys the file, ` +
      'transformers 5 the class. The tokenizer_class PreTrainedTokenizerFast in tokenizer_config.json says that the file is meant',
  );
}

function wordPieces(settings: ClassSettings): TokenizerSteps {
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      lowercase: settings.do_lower_case ?? true,
      strip_accents: settings.strip_accents ?? null,
      handle_chinese_chars: settings.tokenize_chinese_chars ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
  };
}

function bytes(settings: ClassSettings): TokenizerSteps {
  return { normalizer: null, pre_tokenizer: byteLevel(settings, true) };
}

function byteLevel({ add_prefix_space: prefix }: ClassSettings, splits: boolean): Step {
  return { type: 'ByteLevel', add_prefix_space: prefix ?? false, trim_offsets: true, use_regex: splits };
}

/** Of the normalizer only the table stays that comes from sentencepiece. */
function markedWords(settings: ClassSettings, { normalizer }: TokenizerSteps): TokenizerSteps {
  const steps = normalizer?.type === 'Sequence' ? (normalizer['normalizers'] as Step[]) : [normalizer];
  const isAlways = settings.tokenizer_class?.startsWith('T5') || (settings.add_prefix_space ?? true);
  const marks = { replacement: '▁', prepend_scheme: isAlways ? 'always' : 'never', split: true };
  return {
    normalizer: steps.find((step) => step?.type === 'Precompiled') ?? null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace', ...marks }],
    },
  };
}

/** Words, single digits, signs, and white space up to the last one before a word. */
const QWEN_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function qwen(settings: ClassSettings): TokenizerSteps {
  const split = { type: 'Split', pattern: { Regex: QWEN_WORDS }, behavior: 'Isolated', invert: false };
  return {
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel(settings, false)] },
  };
}
