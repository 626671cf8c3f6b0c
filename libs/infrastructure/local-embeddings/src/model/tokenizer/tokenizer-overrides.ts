import { z } from 'zod';
import { ModelLoadError } from '../model-load-error.ts';
import { asClassHasIt } from './tokenizer-class.ts';
import { contentOf, type TokenizerSteps } from './tokenizer-steps.ts';
import { templateOf } from './tokenizer-template.ts';

/** A token that is looked for in a text before anything else: a special one, or one that was added to the vocabulary. */
const addedToken = z.looseObject({ content: z.string(), special: z.boolean().optional() });
const token = z.union([z.string(), addedToken]).nullish();
const flag = z.boolean().nullish();

/** What `tokenizer_config.json` says of ids that `tokenizer.json` has a say in too. */
export const overridesSchema = z.looseObject({
  tokenizer_class: z.string().nullish(),
  auto_map: z.unknown().optional(),
  do_lower_case: flag,
  strip_accents: flag,
  keep_accents: flag,
  split_by_punct: flag,
  legacy: flag,
  tokenize_chinese_chars: flag,
  split_special_tokens: z.literal(false, 'is not understood').nullish(),
  added_tokens_decoder: z.record(z.string(), addedToken).nullish(),
  additional_special_tokens: z.array(token).nullish(),
  extra_special_tokens: z.union([z.array(token), z.record(z.string(), token)]).nullish(),
  model_specific_special_tokens: z.record(z.string(), token).nullish(),
  add_prefix_space: flag,
  add_bos_token: flag,
  bos_token: token,
  add_eos_token: flag,
  eos_token: token,
  unk_token: token,
  sep_token: token,
  pad_token: token,
  cls_token: token,
  mask_token: token,
});
export type Overrides = z.output<typeof overridesSchema>;

/** The parts of `tokenizer.json` that are overridden. */
interface TokenizerDefinition extends TokenizerSteps {
  readonly added_tokens: readonly AddedToken[];
  readonly post_processor?: unknown;
}

/** A token of `added_tokens` in tokenizer.json. */
type AddedToken = Readonly<Record<string, unknown>> & {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
};

/** A token of a file that older versions of transformers wrote. */
type OlderToken = Pick<AddedToken, 'content' | 'special'> & { readonly normalized: boolean };

/** What else there is to know about tokens. */
export interface TokenSources {
  /** In the order of their ids. */
  readonly olderTokens: readonly OlderToken[];
  /** Tokens that the network has vectors for; undefined where it does not say. */
  readonly networkTokens: number | undefined;
}

/** Settings that name a token each, in the order in which transformers adds those. */
export const NAMED = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((name) => `${name}_token`);
/** Its class makes a template, and then takes that of the file, if there is one. */
const KEEPS_TEMPLATE = /^AlbertTokenizer/;
const PLAIN = { special: true, normalized: false, single_word: false, lstrip: false, rstrip: false };

/**
 * The parts of `tokenizer.json` as transformers uses them, which obeys `tokenizer_config.json` where the two contradict each
 * other.
 * @throws ModelLoadError where it depends on the version of transformers which of them is obeyed
 */
export function overridesOf(definition: TokenizerDefinition, settings: Overrides, sources: TokenSources) {
  for (const end of ['bos', 'eos'] as const) checkEnd(end, definition, settings);
  const tokens = addedTokens(definition, settings, sources);
  const name = settings.tokenizer_class ?? '';
  const made = templateOf(name, {
    named: (setting) => contentOf(settings[setting as 'cls_token']),
    idOf: (content) =>
      tokens.find((entry) => entry.content === content)?.id ?? idOf(definition.model.vocab, content),
  });
  const { post_processor: own } = definition;
  return {
    added_tokens: tokens,
    post_processor: KEEPS_TEMPLATE.test(name) ? (own ?? made) : (made ?? own),
    ...asClassHasIt(definition, settings),
  };
}

/** The id of a token. A vocabulary is a mapping, or a list of `[token, score]` for Unigram. */
export function idOf(vocabulary: unknown, content: string | undefined): number | undefined {
  if (content === undefined || typeof vocabulary !== 'object' || vocabulary === null) return undefined;
  if (!Array.isArray(vocabulary))
    return Object.hasOwn(vocabulary, content) ? (vocabulary as Record<string, number>)[content] : undefined;
  const index = (vocabulary as [string, number][]).findIndex(([entry]) => entry === content);
  return index < 0 ? undefined : index;
}

function sizeOf(vocabulary: unknown): number {
  return Array.isArray(vocabulary) ? vocabulary.length : Object.keys(vocabulary ?? {}).length;
}

/** Tokens that the settings alone know get the ids behind the last one, as they get them in transformers. */
function addedTokens(
  { added_tokens: own, model }: TokenizerDefinition,
  settings: Overrides,
  { olderTokens, networkTokens = 0 }: TokenSources,
): AddedToken[] {
  const tokens = new Map(own.map((entry) => [entry.content, entry]));
  let next = own.reduce((most, { id }) => Math.max(most, id + 1), sizeOf(model.vocab));
  const add = (given: string | z.output<typeof addedToken>) => {
    const entry: z.output<typeof addedToken> = typeof given === 'string' ? { content: given } : given;
    const known = tokens.get(entry.content);
    const id = known?.id ?? idOf(model.vocab, entry.content) ?? next++;
    const special = entry.special ?? known?.special ?? PLAIN.special;
    tokens.set(entry.content, { ...PLAIN, ...known, ...entry, special, id });
  };
  const declared = Object.entries(settings.added_tokens_decoder ?? {});
  declared.sort(([one], [other]) => Number(one) - Number(other)).forEach(([, entry]) => add(entry));
  const isNew = (given: z.output<typeof token>) => !tokens.has(contentOf(given) ?? '');
  olderTokens.filter(isNew).forEach(add);
  for (const given of namedTokens(settings).filter(isNew)) {
    // The library fails at a text with one that the network has no vector for: it stays what its letters are.
    if (idOf(model.vocab, contentOf(given)) !== undefined || next < networkTokens) add(given);
  }
  const { additional_special_tokens: listed, extra_special_tokens: further } = settings;
  for (const given of [listed, Array.isArray(further) ? further : undefined].flatMap((list) => list ?? [])) {
    if (given && isNew(given)) add(given);
  }
  return [...tokens.values()];
}

/** Tokens that have names of their own, those of one model behind the usual ones. */
function namedTokens(settings: Overrides): (string | z.output<typeof addedToken>)[] {
  const { extra_special_tokens: further, model_specific_special_tokens: specific } = settings;
  const own = Object.entries(settings)
    .filter(([name]) => name.endsWith('_token') && !NAMED.includes(name))
    .flatMap(([, value]) => token.safeParse(value).data ?? []);
  const isText = (given: (typeof own)[number]) => typeof given === 'string';
  return [
    ...NAMED.map((name) => settings[name as 'bos_token']),
    ...own.filter((given) => !isText(given)),
    ...own.filter(isText),
    ...[specific, Array.isArray(further) ? undefined : further].flatMap((names) =>
      Object.values(names ?? {}),
    ),
  ].filter((given) => given !== undefined && given !== null);
}

/** A model that reads its vector off the closing token gives another one without it. */
function checkEnd(name: 'bos' | 'eos', { post_processor: own }: TokenizerDefinition, settings: Overrides) {
  const content = contentOf(settings[`${name}_token`]);
  if (settings[`add_${name}_token`] !== true || content === undefined) return;
  if (JSON.stringify(own ?? null).includes(JSON.stringify(content))) return;
  throw new ModelLoadError(
    `tokenizer_config.json says add_${name}_token, and the post_processor of tokenizer.json puts no ${content} there: ` +
      'transformers 4 obeys the one, transformers 5 the other. Let both files say the same',
  );
}
