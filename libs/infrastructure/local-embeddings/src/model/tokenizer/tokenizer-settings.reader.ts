import { posix } from 'node:path';
import { z } from 'zod';
import type { ModelFolder } from '../model-folder.ts';
import { networkConfig } from '../plan/network-config.ts';
import { checkOwnCode, classOf } from './tokenizer-class.ts';
import { limitSetting } from './token-window.ts';
import { NAMED, type Overrides, overridesSchema, type TokenSources } from './tokenizer-overrides.ts';
import { contentOf } from './tokenizer-steps.ts';

/** Files that say how a tokenizer is used, besides `tokenizer.json`. */
export const TOKENIZER_SETTINGS_FILES = [
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

const side = z.enum(['left', 'right']).optional();
const settingsSchema = overridesSchema.extend({
  padding_side: side,
  truncation_side: side,
  model_max_length: limitSetting.nullish(),
  /** What `model_max_length` was called at first. */
  max_len: limitSetting.nullish(),
  model_input_names: z.array(z.string()).optional(),
  /** The limit of FastEmbed, if it is below `model_max_length`. Elsewhere a remnant of the last call before saving. */
  max_length: z.number().nullish(),
});
const text = z.string().optional().catch(undefined);
const configSchema = networkConfig.extend({ tokenizer_class: text });
const addedSchema = z.record(z.string(), z.int());

/** What the files beside `tokenizer.json` say, as transformers puts it together. */
export type TokenizerConfig = z.output<typeof settingsSchema> & TokenSources;

/** Reads them. @param root the folder of the tokenizer within that of the model @throws ModelLoadError */
export async function readTokenizerSettings(folder: ModelFolder, root: string): Promise<TokenizerConfig> {
  const read = <T>(name: string, schema: z.ZodType<T>) => folder.read(posix.join(root, name), schema);
  const own = (await read('tokenizer_config.json', settingsSchema)) ?? {};
  const config = (await read('config.json', configSchema)) ?? {};
  checkOwnCode(own.auto_map, config.model_type);
  const named = own.tokenizer_class ?? config.tokenizer_class;
  const settings = {
    ...own,
    tokenizer_class: classOf(named, config.model_type),
    networkTokens: config.vocab_size,
  };
  // Who has the newer key has no use for the older files.
  if (own.added_tokens_decoder) return { ...settings, olderTokens: [] };
  const special = (await read('special_tokens_map.json', overridesSchema)) ?? {};
  const added = Object.entries((await read('added_tokens.json', addedSchema)) ?? {});
  const specials = specialsOf(own, special);
  const olderTokens = added
    .toSorted(([, one], [, other]) => one - other)
    .map(([content]) => ({ content, special: specials.has(content), normalized: !specials.has(content) }));
  const { additional_special_tokens: further, ...names } = special;
  const list =
    listOf(own.extra_special_tokens).length > 0 ? undefined : (own.additional_special_tokens ?? further);
  return { ...settings, ...names, additional_special_tokens: list, olderTokens };
}

/** Tokens that are special to transformers where an older file adds them: those with a usual name, and those that are listed. */
function specialsOf(own: Overrides, special: Overrides): ReadonlySet<string | undefined> {
  const { additional_special_tokens: older, extra_special_tokens: listed } = own;
  const names = { ...own, ...special };
  const named = NAMED.map((name) => names[name as 'cls_token']);
  // What special_tokens_map.json has under the older name is listed too late for that.
  const lists = [isEmpty(listed) ? older : listed, special.extra_special_tokens];
  return new Set([...named, ...lists.flatMap(listOf)].map(contentOf));
}

/** None where they are given with names. */
function listOf(given: Overrides['extra_special_tokens']) {
  return Array.isArray(given) ? given : [];
}

function isEmpty(given: object | null | undefined): boolean {
  return Object.keys(given ?? {}).length === 0;
}
