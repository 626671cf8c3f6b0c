import { z } from 'zod';
import type { Backend } from '../embedding-model.types.ts';
import type { ModelFolder } from '../model-folder.ts';
import type { ModelPlan } from './model-plan.ts';
import { MEAN, MODULES_FILE, readModuleList } from './modules.reader.ts';
import { readModelSettings } from './sentence-plan.reader.ts';
import { isOfModel2Vec } from './token-table.reader.ts';

const MODEL_TYPE = 'model2vec';
const CONFIG_FILE = 'config.json';
const configSchema = z.looseObject({ model_type: z.unknown(), normalize: z.boolean().nullish() });
const firstTypeSchema = z.tuple([z.looseObject({ type: z.string() })]).rest(z.unknown());
/** What its `encode` reads of a text where nobody says anything else. */
const USUAL_TOKENS = 512;

/**
 * Whether a folder is Model2Vec's. Those that it has written have a `modules.json` too, as a rule, and are read by sentence-transformers
 * then, unless that would leave something out. @throws ModelLoadError for modules or a table that cannot be read
 */
export async function isModel2Vec(folder: ModelFolder): Promise<boolean> {
  const list = await readModuleList(folder);
  if (list) return list.first === 'StaticEmbedding' && isOfModel2Vec(folder, list.root);
  const config = await folder.json(CONFIG_FILE);
  return configSchema.safeParse(config).data?.model_type === MODEL_TYPE;
}

/**
 * Whether a folder holds a static model, as far as that can be seen before its weights are there. False for files that are not
 * understood: the load says why.
 */
export async function isStatic(folder: ModelFolder, backend: Backend | 'auto' = 'auto'): Promise<boolean> {
  if (backend === 'model2vec') return true;
  const modules = firstTypeSchema.safeParse(await folder.json(MODULES_FILE)).data;
  if (modules)
    return /^(auto|sentence-transformers)$/.test(backend) && /\.StaticEmbedding$/.test(modules[0].type);
  return backend === 'auto' && !folder.has(MODULES_FILE) && (await isModel2Vec(folder));
}

/** Reads how Model2Vec makes vectors: the mean of those of the tokens that its vocabulary has. @throws ModelLoadError */
export async function readModel2VecPlan(folder: ModelFolder): Promise<ModelPlan> {
  const { normalize } = (await folder.read(CONFIG_FILE, configSchema)) ?? {};
  const list = await readModuleList(folder);
  return {
    backend: 'model2vec',
    root: list?.root ?? '',
    modules: [MEAN, ...(normalize ? [{ type: 'normalize' } as const] : [])],
    ...(await readModelSettings(folder)),
    isTable: true,
    dropsUnknown: true,
    lowerCase: false,
    fallbackTokens: USUAL_TOKENS,
    notes: [],
    files: [MODULES_FILE, CONFIG_FILE].filter((name) => folder.has(name)),
  };
}
