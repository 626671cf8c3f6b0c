import { ModelLoadError } from '../model-load-error.ts';
import { CLASS_STEPS, type ClassSettings, type TokenizerSteps } from './tokenizer-steps.ts';

/** The class of a network that no file names one for. */
const NETWORKS: Readonly<Record<string, string>> = {
  AlbertTokenizer: 'albert yoso',
  BarthezTokenizer: 'barthez',
  BertTokenizer:
    'bert convbert distilbert electra ernie layoutlm megatron-bert mobilebert nomic_bert squeezebert',
  BertGenerationTokenizer: 'bert-generation',
  BigBirdTokenizer: 'big_bird',
  BlenderbotTokenizer: 'blenderbot',
  CLIPTokenizer: 'clip clipseg groupvit owlvit owlv2',
  CamembertTokenizer: 'camembert',
  CohereTokenizer: 'cohere cohere2',
  DPRQuestionEncoderTokenizer: 'dpr',
  DebertaTokenizer: 'deberta',
  DebertaV2Tokenizer: 'deberta-v2',
  FunnelTokenizer: 'funnel',
  GPT2Tokenizer: 'codegen gpt2 gpt_neo gptj opt phi starcoder2',
  GPTNeoXTokenizer: 'gpt_neox mamba mamba2 mpt olmo olmoe rwkv',
  GemmaTokenizer: 'gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text t5gemma',
  HerbertTokenizer: 'herbert',
  LukeTokenizer: 'luke',
  LxmertTokenizer: 'lxmert',
  M2M100Tokenizer: 'm2m_100',
  MBartTokenizer: 'mbart',
  MLukeTokenizer: 'mluke',
  MPNetTokenizer: 'mpnet',
  NllbTokenizer: 'nllb nllb-moe',
  OpenAIGPTTokenizer: 'openai-gpt',
  PegasusTokenizer: 'pegasus',
  Qwen2Tokenizer:
    'colqwen2 qwen2 qwen2_5_omni qwen2_5_vl qwen2_moe qwen2_vl qwen3 qwen3_moe qwen3_next qwen3_omni_moe qwen3_vl qwen3_vl_moe',
  Qwen3_5Tokenizer: 'qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text',
  ReformerTokenizer: 'reformer',
  RemBertTokenizer: 'rembert',
  RoFormerTokenizer: 'roformer',
  RobertaTokenizer: 'bart data2vec-text ibert lilt longformer mra mvp roberta roberta-prelayernorm',
  SplinterTokenizer: 'splinter',
  T5Tokenizer: 'mt5 switch_transformers t5',
  WhisperTokenizer: 'whisper',
  XGLMTokenizer: 'xglm',
  XLMRobertaTokenizer: 'gte jina_embeddings_v3 xlm-roberta xmod',
  XLNetTokenizer: 'xlnet',
};
/** Networks whose `tokenizer.json` is used as it is, whatever class the files name. */
const KEEPING =
  'arctic bigbird_pegasus deepseek_v2 deepseek_v3 ernie4_5 ernie4_5_moe flex_olmo glm glm4 glm4_moe gpt_bigcode granite ' +
  'granitemoe granitemoehybrid granitemoeshared hyperclovax internlm2 jamba kosmos-2 llava minicpm3 minimax_m2 ministral ' +
  'ministral3 mistral mistral3 mixtral modernbert modernbert-decoder molmo nemotron nystromformer olmo2 olmo3 olmo_hybrid ' +
  'pegasus_x persimmon phi3 phi3_v phimoe pixtral smolvlm stablelm umt5 xlm-roberta-xl';
/** Networks whose class is taken, whatever class the files name. */
const INSISTING = 'qwen2 qwen3_5 qwen3_5_moe qwen3_5_moe_text';
/** Classes of transformers that make tokens in ways of their own, some of them in Python and without a `tokenizer.json`. */
const UNFOLLOWED =
  /^(Barthez|Bartpho|BertGeneration|BertJapanese|Bertweet|BigBird|BioGpt|Blenderbot|BlenderbotSmall|ByT5|CTRL|Canine|CodeLlama|Cohere|Cpm|Esm|FNet|FSMT|Flaubert|GPTNeoX|GPTNeoXJapanese|GPTSw3|LayoutLMv2|LayoutLMv3|LayoutXLM|Luke|M2M100|MBart|MBart50|MLuke|Marian|MarkupLM|MyT5|Nllb|Nougat|OpenAIGPT|PLBart|Pegasus|Perceiver|Phobert|ProphetNet|Reformer|RemBert|RoCBert|RoFormer|SeamlessM4T|Siglip|Siglip2|Splinter|Tapas|Udop|Whisper|XGLM|XLM|XLNet)Tokenizer/;
const THE_FILE_IS_MEANT =
  'The tokenizer_class PreTrainedTokenizerFast in tokenizer_config.json says that the file is meant';

const has = (list: string | undefined, network: string) => list?.split(' ').includes(network) ?? false;

/**
 * The class that transformers takes, where it is one that matters here.
 * @param named by a file
 * @param network `model_type` of config.json
 */
export function classOf(named: string | null | undefined, network = ''): string | undefined {
  if (has(KEEPING, network)) return undefined;
  const given = has(INSISTING, network) ? undefined : named;
  return given ?? Object.keys(NETWORKS).find((name) => has(NETWORKS[name], network));
}

/**
 * Code that comes with a folder may make other tokens than its files say. Transformers leaves it alone only where it knows better what
 * the network takes. @param map `auto_map` of tokenizer_config.json @throws ModelLoadError
 */
export function checkOwnCode(map: unknown, network = ''): void {
  const code: unknown = Array.isArray(map)
    ? map
    : (map as Record<string, unknown> | null | undefined)?.['AutoTokenizer'];
  if (!code || has(INSISTING, network) || has(KEEPING, network)) return;
  const name = [code].flat().find((part) => typeof part === 'string');
  throw new ModelLoadError(
    `auto_map in tokenizer_config.json names the tokenizer ${String(name)}, whose code is not run; take it away where tokenizer.json says all that it does`,
  );
}

/** What transformers 4 set anew in the normalizer of such a file, if it had it. */
const SET_BY_CLASS = ['lowercase', 'strip_accents', 'handle_chinese_chars'];

/**
 * Whether a class that makes WordPiece of a vocabulary stands beside another tokenizer. The multilingual MiniLM was saved so, as a
 * network of BERT with the vocabulary of XLM-R, and with it its many copies. Transformers 4 obeys the file; to the class in
 * transformers 5 nearly all words are unknown, which nobody can have trained a model for.
 */
export function isMistaken({ normalizer, model }: TokenizerSteps, name = ''): boolean {
  const [, wanted] = CLASS_STEPS.find(([pattern]) => pattern.test(name)) ?? [];
  const isOther = wanted === 'WordPiece' && model.type !== undefined && model.type !== wanted;
  return isOther && !!normalizer && !SET_BY_CLASS.some((key) => key in normalizer);
}

/**
 * The steps of a tokenizer as its class in transformers has them.
 * @throws ModelLoadError for a class that makes another model of the vocabulary, or steps that are not followed here
 */
export function asClassHasIt(own: TokenizerSteps, settings: ClassSettings): TokenizerSteps {
  const name = settings.tokenizer_class ?? '';
  if (UNFOLLOWED.test(name))
    throw new ModelLoadError(
      `the class ${name} makes tokens in a way of its own, which is not understood here, and not as tokenizer.json says it. ` +
        THE_FILE_IS_MEANT,
    );
  const [, wanted, make] = CLASS_STEPS.find(([pattern]) => pattern.test(name)) ?? [];
  const { normalizer, pre_tokenizer, model } = own;
  if (!make) return { normalizer, pre_tokenizer, model };
  if (model.type === undefined || model.type === wanted) return make(settings, own);
  throw new ModelLoadError(
    `the class ${name} makes ${wanted} of a vocabulary, and tokenizer.json is ${model.type}: transformers 4 obeys the file, ` +
      `transformers 5 the class. ${THE_FILE_IS_MEANT}`,
  );
}
