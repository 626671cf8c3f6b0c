/** How a class puts special tokens around a text, and around two: `A` and `B` are texts, `0` and `1` the tokens of the family. */
interface Family {
  readonly classes: RegExp;
  /** Settings that name its tokens, and the tokens where they do not. */
  readonly tokens: readonly (readonly [setting: string, token: string])[];
  readonly single: string;
  /** What comes behind the sign `|` is of type 1. */
  readonly pair: string;
}

const ROBERTA = { single: '0A1', pair: '0A11B1' };
/** Of transformers: these classes make the template themselves, whatever `tokenizer.json` says. */
const FAMILIES: readonly Family[] = [
  {
    classes:
      /^(Albert|Bert|ConvBert|DPR\w+|DebertaV2|DistilBert|Electra|LayoutLM|Lxmert|MobileBert|SqueezeBert)Tokenizer/,
    tokens: [
      ['cls_token', '[CLS]'],
      ['sep_token', '[SEP]'],
    ],
    single: '0A1',
    pair: '0A1|B1',
  },
  {
    classes: /^(Bart|LED|Longformer|MPNet|Mvp|Roberta)Tokenizer/,
    tokens: [
      ['cls_token', '<s>'],
      ['sep_token', '</s>'],
    ],
    ...ROBERTA,
  },
  {
    classes: /^(Camembert|XLMRoberta)Tokenizer/,
    tokens: [
      ['bos_token', '<s>'],
      ['eos_token', '</s>'],
    ],
    ...ROBERTA,
  },
  {
    classes: /^HerbertTokenizer/,
    tokens: [
      ['cls_token', '<s>'],
      ['sep_token', '</s>'],
    ],
    single: '0A1',
    pair: '0A1|B1',
  },
  {
    classes: /^DebertaTokenizer/,
    tokens: [
      ['cls_token', '[CLS]'],
      ['sep_token', '[SEP]'],
    ],
    ...ROBERTA,
  },
  {
    classes: /^CLIPTokenizer/,
    tokens: [
      ['bos_token', '<|startoftext|>'],
      ['eos_token', '<|endoftext|>'],
    ],
    ...ROBERTA,
  },
  { classes: /^T5Tokenizer/, tokens: [['eos_token', '</s>']], single: 'A0', pair: 'A0B0' },
];

/** Finds the token that a setting names, and its id. */
interface TokenLookup {
  readonly named: (setting: string) => string | undefined;
  readonly idOf: (token: string) => number | undefined;
}

/**
 * The post-processor that a class makes, as tokenizer.json writes it. Undefined for a class that makes none, or whose tokens
 * the vocabulary does not have.
 */
export function templateOf(name: string, { named, idOf }: TokenLookup): object | undefined {
  const family = FAMILIES.find(({ classes }) => classes.test(name));
  if (!family) return undefined;
  const tokens = family.tokens.map(([setting, token]) => named(setting) ?? token);
  const ids = tokens.map(idOf);
  if (ids.includes(undefined)) return undefined;
  const special = tokens.map((token, index) => [token, { id: token, ids: [ids[index]], tokens: [token] }]);
  return {
    type: 'TemplateProcessing',
    single: piecesOf(family.single, tokens),
    pair: piecesOf(family.pair, tokens),
    special_tokens: Object.fromEntries(special) as object,
  };
}

function piecesOf(pattern: string, tokens: readonly string[]): object[] {
  return pattern.split('|').flatMap((part, type_id) =>
    [...part].map((sign) => {
      const token = tokens[Number(sign)];
      return token === undefined
        ? { Sequence: { id: sign, type_id } }
        : { SpecialToken: { id: token, type_id } };
    }),
  );
}
