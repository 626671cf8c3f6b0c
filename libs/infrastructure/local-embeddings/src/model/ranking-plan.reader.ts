import { posix } from 'node:path';
import { z } from 'zod';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';
import type { ModelPlan } from './model-plan.ts';
import {
  kindOf,
  MODEL_SETTINGS_FILE,
  MODULES_FILE,
  modulesSchema,
  readTransformer,
  TRANSFORMER_SETTINGS_FILES,
} from './sentence-plan.reader.ts';

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

/** Reads how a cross-encoder makes scores. What is not understood stops it with its name. @throws ModelLoadError */
export async function readRankingPlan(folder: ModelFolder): Promise<ModelPlan> {
  await folder.read(MODEL_SETTINGS_FILE, settingsSchema);
  const modules = await folder.read(MODULES_FILE, modulesSchema);
  if (!modules) await checkTemplate(folder);
  const [first, ...rest] = modules ?? [];
  const others = [...(first && kindOf(first.type) !== 'Transformer' ? [first] : []), ...rest];
  if (others[0])
    throw new ModelLoadError(`${MODULES_FILE} has the module ${others[0].type}, which is not understood`);
  const root = first?.path ?? '';
  return {
    backend: 'cross-encoder',
    root,
    modules: [],
    prompts: {},
    notes: [],
    ...(await readTransformer(folder, root, SCORES)),
    output: OUTPUT,
    files: [
      MODULES_FILE,
      MODEL_SETTINGS_FILE,
      ...TRANSFORMER_SETTINGS_FILES.map((name) => posix.join(root, name)),
    ].filter((name) => folder.has(name)),
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
