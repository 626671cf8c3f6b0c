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

const ignored = z.unknown().optional();
const settingsSchema = z.strictObject({
  __version__: ignored,
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
  const [first, ...rest] = (await folder.read(MODULES_FILE, modulesSchema)) ?? [];
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

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
