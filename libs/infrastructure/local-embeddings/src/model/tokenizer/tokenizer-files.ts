import { posix } from 'node:path';
import { z } from 'zod';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { leavesPromptOut, type ModelPlan } from '../plan/model-plan.ts';
import { isMistaken } from './tokenizer-class.ts';
import { idOf, overridesOf } from './tokenizer-overrides.ts';
import { contentOf } from './tokenizer-steps.ts';
import { readTokenizerSettings, type TokenizerConfig } from './tokenizer-settings.reader.ts';

/** A tokenizer as its files describe it. */
export interface TokenizerFiles {
  /** `tokenizer.json` as `tokenizer_config.json` changes it, without limits and padding of its own. */
  readonly definition: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly padId: number;
  readonly padSide: 'left' | 'right';
  readonly cutSide: 'left' | 'right';
  /** Whether the tokens of a prompt are left out where those of a text become its vector. */
  readonly leavesPromptOut: boolean;
  /** Undefined where the files do not say. */
  readonly maxTokens: number | undefined;
  /** Whether the model is to be told which text of a pair a token belongs to, where its tokenizer says so. */
  readonly tellsTextsApart: boolean;
  /** Whether it is to be told the types of the tokens of a single text. */
  readonly tellsTypes: boolean;
  /** Characters of a word above which WordPiece has one unknown token for it. */
  readonly longestWord: number | undefined;
  /** Ids of tokens that are found in a text before its words are; not that of what is unknown, which words have as well. */
  readonly addedIds: ReadonlySet<number>;
  /** Ids of `[CLS]` and its kind. */
  readonly specialIds: ReadonlySet<number>;
  /** Id of what is not in the vocabulary, where tokens of it are left out. */
  readonly droppedId: number | undefined;
}

/** A side as the tokenizers library writes it. */
const direction = z
  .enum(['Left', 'Right'])
  .transform((value) => value.toLowerCase() as 'left' | 'right')
  .optional();
const step = z.looseObject({ type: z.string() }).nullish();
const definitionSchema = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean() }))
    .default([]),
  truncation: z.looseObject({ direction, max_length: z.int().min(1).optional() }).nullish(),
  padding: z.looseObject({ pad_id: z.int().default(0), direction }).nullish(),
  normalizer: step,
  pre_tokenizer: step,
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.unknown(),
    max_input_chars_per_word: z.int().optional(),
    unk_token: z.string().nullish(),
    unk_id: z.int().nullish(),
    dropout: z.union([z.null(), z.literal(0)], 'makes other tokens of a text each time').optional(),
  }),
});
/** Classes that do not tell it unless the files say so. Transformers 5 writes the first where there is no better one; that of 4 told it. */
const UNTOLD_CLASS =
  /^(TokenizersBackend$|(Albert|Bart|Camembert|DistilBert|GPT2|Herbert|LED|Longformer|MPNet|Qwen2|Roberta|T5|XLMRoberta)Tokenizer)/;
const NO_SETTINGS: TokenizerConfig = { olderTokens: [], networkTokens: undefined };
const CONVERSION =
  'Of vocab.txt and its kind `AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)` of transformers makes it';
/** Transformers writes 1e30 where it knows no limit. */
const ABSURD_LIMIT = 1e9;

/** Reads tokenizer.json and, but for tables, tokenizer_config.json. @throws ModelLoadError */
export async function readTokenizerFiles(folder: ModelFolder, plan: ModelPlan): Promise<TokenizerFiles> {
  const name = posix.join(plan.root, 'tokenizer.json');
  const own = await folder.read(name, definitionSchema);
  if (!own) throw new ModelLoadError(`${name} is missing; there is: ${folder.listing()}. ${CONVERSION}`);
  // Libraries that look vectors up in a table know tokenizer.json alone, and put no special tokens around texts.
  const { olderTokens, networkTokens, ...settings } = plan.isTable
    ? NO_SETTINGS
    : await readTokenizerSettings(folder, plan.root);
  // FastEmbed knows no classes: it takes tokenizer.json as it is.
  const isFile = plan.backend === 'fastembed' || isMistaken(own, settings.tokenizer_class ?? undefined);
  const obeyed = isFile ? { ...settings, tokenizer_class: undefined } : settings;
  const definition = { ...own, ...overridesOf(own, obeyed, { olderTokens, networkTokens }) };
  const tellsTypes = settings.model_input_names?.includes('token_type_ids');
  const padToken = contentOf(settings.pad_token);
  const idOfToken = (token: string | undefined) =>
    definition.added_tokens.find(({ content }) => content === token)?.id ??
    idOf(definition.model.vocab, token);
  const { unk_token: unknown, unk_id: unknownId } = definition.model;
  const isUnknown = ({ id, content }: { readonly id: number; readonly content: string }) =>
    id === unknownId || content === unknown;
  const stated = [
    settings.model_max_length ?? settings.max_len,
    plan.backend === 'fastembed' ? settings.max_length : undefined,
    plan.isTable ? own.truncation?.max_length : undefined,
  ];
  const limits = stated.filter(
    (limit) => typeof limit === 'number' && limit > 0 && limit < ABSURD_LIMIT,
  ) as number[];
  return {
    definition: {
      ...definition,
      truncation: null,
      padding: null,
      ...(plan.isTable && { post_processor: null }),
      normalizer: plan.lowerCase ? lowerCased(definition.normalizer) : definition.normalizer,
    },
    settings,
    // Whatever stands there is not looked at, and must only be in the table.
    padId: plan.isTable ? 0 : (idOfToken(padToken) ?? definition.padding?.pad_id ?? 0),
    padSide: plan.paddingSide ?? settings.padding_side ?? definition.padding?.direction ?? 'right',
    cutSide: plan.truncationSide ?? settings.truncation_side ?? definition.truncation?.direction ?? 'right',
    leavesPromptOut: leavesPromptOut(plan),
    maxTokens: limits.length > 0 ? Math.min(...limits) : undefined,
    tellsTextsApart: tellsTypes ?? !UNTOLD_CLASS.test(settings.tokenizer_class ?? ''),
    tellsTypes: tellsTypes ?? false,
    longestWord: definition.model.max_input_chars_per_word,
    addedIds: new Set(definition.added_tokens.filter((token) => !isUnknown(token)).map(({ id }) => id)),
    specialIds: new Set(definition.added_tokens.filter(({ special }) => special).map(({ id }) => id)),
    // Unigram has a number for it, whatever name stands beside that.
    droppedId: plan.dropsUnknown
      ? (own.model.unk_id ?? idOfToken(own.model.unk_token ?? undefined))
      : undefined,
  };
}

/** As sentence-transformers does it for `do_lower_case`: before all other steps, unless there is such a step. */
function lowerCased(normalizer: Readonly<Record<string, unknown>> | undefined | null) {
  const steps = !normalizer
    ? []
    : normalizer['type'] === 'Sequence'
      ? (normalizer['normalizers'] as { type: string }[])
      : [normalizer];
  if (steps.some(({ type }) => type === 'Lowercase')) return normalizer;
  return { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, ...steps] };
}
