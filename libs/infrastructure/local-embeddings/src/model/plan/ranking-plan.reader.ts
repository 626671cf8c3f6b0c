import { z } from 'zod';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import type { ModelPlan } from './model-plan.ts';
import { MODULES_FILE, readModuleList, readModules } from './modules.reader.ts';
import { filesOfModules, MODEL_SETTINGS_FILE, readTransformer } from './sentence-plan.reader.ts';

/** What sentence-transformers calls these models. */
const MODEL_TYPE = 'CrossEncoder';
/** What transformers calls the network of one. */
const ARCHITECTURE = /ForSequenceClassification$/;
const SCORES = { transformer_task: 'sequence-classification', module_output_name: 'scores' };
/** The name that exporters give to the scores. */
const OUTPUT = 'logits';
/** Where a tokenizer has the template of a chat, if not in its settings. */
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';
const TOKENIZER_FILE = 'tokenizer_config.json';

/** Without modules the library reads no settings of a Transformer: the tokenizer and the network limit a pair. */
const UNSET = { lowerCase: false, output: undefined } as const;

const ignored = z.unknown().optional();
const settingsSchema = z.strictObject({
  __version__: ignored,
  // Of the Python packages that it was made with.
  requirements: ignored,
  model_type: z.literal(MODEL_TYPE),
  // Whether scores are squeezed between 0 and 1 is for the caller to say.
  activation_fn: ignored,
  prompts: z.strictObject({}, 'before queries are not understood').nullish(),
  default_prompt_name: z.null('is not understood here').optional(),
});

/** Whether a folder holds a cross-encoder: it says so, or is a classifier without modules that would make vectors of it. */
export async function isRanking(folder: ModelFolder): Promise<boolean> {
  const settings = asRecord(await folder.json(MODEL_SETTINGS_FILE));
  if (settings['model_type'] === MODEL_TYPE) return true;
  if (folder.has(MODULES_FILE)) return false;
  const { architectures } = asRecord(await folder.json('config.json'));
  return Array.isArray(architectures) && architectures.some((name) => ARCHITECTURE.test(String(name)));
}

/**
 * Reads how a cross-encoder makes scores: its network is a classifier, or gives vectors of tokens, of which the modules behind it
 * make a score. What is not understood stops it with its name. @throws ModelLoadError
 */
export async function readRankingPlan(folder: ModelFolder): Promise<ModelPlan> {
  await folder.read(MODEL_SETTINGS_FILE, settingsSchema);
  const list = await readModuleList(folder);
  if (!list) await checkTemplate(folder);
  const { first, root, rest } = list ?? { first: 'Transformer', root: '', rest: [] };
  if (first !== 'Transformer')
    throw new ModelLoadError(
      `${MODULES_FILE} begins with a ${first}; a cross-encoder begins with a Transformer`,
    );
  const modules = rest.length > 0 ? await readModules(folder, { first, rest }, 'scores') : [];
  const classifier = modules.length === 0;
  const transformer = list ? await readTransformer(folder, root, classifier ? SCORES : undefined) : UNSET;
  return {
    backend: 'cross-encoder',
    root,
    modules,
    prompts: {},
    notes: [],
    ...transformer,
    output: classifier ? OUTPUT : transformer.output,
    files: filesOfModules(folder, { root, rest }),
  };
}

/**
 * Modules say whether query and text become messages of a chat. Where there are none, newer versions of sentence-transformers
 * make messages of them if there is a template, older ones and all else do not: other scores. @throws ModelLoadError
 */
async function checkTemplate(folder: ModelFolder): Promise<void> {
  const { chat_template: template } = asRecord(await folder.json(TOKENIZER_FILE));
  const isSaid = template !== undefined && template !== null;
  const file = isSaid ? TOKENIZER_FILE : CHAT_TEMPLATE_FILE;
  if (!isSaid && !folder.has(file)) return;
  throw new ModelLoadError(
    `${file} has a chat template, and no ${MODULES_FILE} says whether it is put around query and text: versions of ` +
      'sentence-transformers differ. Take the template away where they are read as they are',
  );
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
