import { posix } from 'node:path';
import { z } from 'zod';
import { SIMILARITY_METRICS } from '../embedding-model.types.ts';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import type { ModelPlan } from './model-plan.ts';
import { limitSetting } from '../tokenizer/token-window.ts';
import { MODULE_WEIGHTS } from './module-settings.reader.ts';
import { type ModuleList, MODULES_FILE, readModuleList, readModules } from './modules.reader.ts';

/** Where the settings of pooling are, in folders that have no `modules.json` too. */
export const POOLING_FOLDER = '1_Pooling';
export const MODEL_SETTINGS_FILE = 'config_sentence_transformers.json';
/** Settings of the Transformer module; older versions named them after the kind of model. */
export const TRANSFORMER_SETTINGS_FILES = [
  'bert',
  'roberta',
  'distilbert',
  'camembert',
  'albert',
  'xlm-roberta',
  'xlnet',
].map((kind) => `sentence_${kind}_config.json`);

/** Settings that must be absent or empty, because they would change vectors in a way that is not understood. */
const unset = z.union([z.null(), z.strictObject({}), z.literal(false)], 'is not understood here').optional();
const ignored = z.unknown().optional();

const tokenizerArguments = z
  .strictObject({
    model_max_length: limitSetting.optional(),
    padding_side: z.enum(['left', 'right']).optional(),
    truncation_side: z.enum(['left', 'right']).optional(),
    cache_dir: ignored,
    clean_up_tokenization_spaces: ignored,
    local_files_only: ignored,
    revision: ignored,
    use_fast: ignored,
    trust_remote_code: ignored,
  })
  .nullish();
/** How the weights are loaded in Python: no matter, the graph holds them. */
const modelArguments = z
  .strictObject({
    add_pooling_layer: ignored,
    attn_implementation: ignored,
    cache_dir: ignored,
    device_map: ignored,
    local_files_only: ignored,
    low_cpu_mem_usage: ignored,
    reference_compile: ignored,
    revision: ignored,
    torch_dtype: ignored,
    dtype: ignored,
    trust_remote_code: ignored,
    file_name: ignored,
    provider: ignored,
    export: ignored,
    subfolder: ignored,
    use_safetensors: ignored,
  })
  .nullish();

const configArguments = z.strictObject({ trust_remote_code: ignored }).nullish();

const transformerSchema = z.strictObject({
  max_seq_length: limitSetting.nullish(),
  do_lower_case: z.boolean().nullish(),
  transformer_task: z.string().optional(),
  modality_config: z
    .strictObject({
      message: z
        .undefined(
          'puts the template of a chat around every text, which is not understood; take it away where texts are read as they are',
        )
        .optional(),
      text: z.strictObject({
        method: z.literal('forward'),
        method_output_name: z.string(),
      }),
    })
    .optional(),
  module_output_name: z.string().optional(),
  unpad_inputs: ignored,
  model_name_or_path: ignored,
  tokenizer_name_or_path: unset,
  cache_dir: ignored,
  backend: ignored,
  processing_kwargs: unset,
  query_length: unset,
  document_length: unset,
  query_expansion: unset,
  model_args: modelArguments,
  model_kwargs: modelArguments,
  config_args: configArguments,
  config_kwargs: configArguments,
  tokenizer_args: tokenizerArguments,
  processor_kwargs: tokenizerArguments,
});

const settingsSchema = z.strictObject({
  __version__: ignored,
  // Of the Python packages that it was made with.
  requirements: ignored,
  model_type: z.literal('SentenceTransformer').optional(),
  prompts: z.record(z.string(), z.string().nullable()).optional(),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.enum(SIMILARITY_METRICS).nullish(),
  truncate_dim: z.int().min(1).nullish(),
});

/** That of a StaticEmbedding, which has no settings and reads texts of any length. */
const STATIC = { isTable: true, lowerCase: false, fallbackTokens: 8_192 } as const;
/** Prompts that every model of the library has since version 5. */
const GIVEN_PROMPTS = { query: '', document: '' };

/** Reads what sentence-transformers has saved. What is not understood stops it with its name. @throws ModelLoadError */
export async function readSentencePlan(folder: ModelFolder): Promise<ModelPlan> {
  const list = await readModuleList(folder);
  if (!list) throw new ModelLoadError(`${MODULES_FILE} is missing; there is: ${folder.listing()}`);
  const { first, root } = list;
  return {
    backend: 'sentence-transformers',
    root,
    modules: await readModules(folder, list, 'sentence_embedding'),
    notes: [],
    ...(first === 'StaticEmbedding' ? STATIC : await readTransformer(folder, root)),
    ...(await readModelSettings(folder, GIVEN_PROMPTS)),
    files: filesOfModules(folder, list),
  };
}

/** What a folder has of settings and weights of its modules, but of the network. */
export function filesOfModules(folder: ModelFolder, { root, rest }: Omit<ModuleList, 'first'>): string[] {
  return [
    MODULES_FILE,
    MODEL_SETTINGS_FILE,
    ...TRANSFORMER_SETTINGS_FILES.map((name) => posix.join(root, name)),
    ...rest.flatMap(({ path }) => ['config.json', MODULE_WEIGHTS].map((name) => posix.join(path, name))),
  ].filter((name) => folder.has(name));
}

/** What a Transformer module is made for, and the name of what it gives. */
interface TransformerTask {
  readonly transformer_task: string;
  readonly module_output_name: string;
}
const FEATURES: TransformerTask = {
  transformer_task: 'feature-extraction',
  module_output_name: 'token_embeddings',
};

/** The first of its files that says anything. */
async function readTransformerFile(folder: ModelFolder, root: string) {
  for (const file of TRANSFORMER_SETTINGS_FILES) {
    const name = posix.join(root, file);
    const settings = await folder.read(name, transformerSchema);
    if (settings && Object.keys(settings).length > 0) return { name, settings };
  }
  return { name: '', settings: {} as z.output<typeof transformerSchema> };
}

/** The settings of the Transformer module, which older folders have without a `modules.json` too. @throws ModelLoadError */
export async function readTransformer(folder: ModelFolder, root: string, task = FEATURES) {
  const { name, settings } = await readTransformerFile(folder, root);
  for (const key of ['transformer_task', 'module_output_name'] as const) {
    const said = settings[key];
    if (said === undefined || said === task[key]) continue;
    throw new ModelLoadError(
      `${name} is not understood: ${key} is ${said}, where ${task[key]} is understood`,
    );
  }
  // As the library does it: the older spelling wins, and the limit of the tokenizer over that of the module.
  const processor = settings.tokenizer_args ?? settings.processor_kwargs;
  return {
    maxTokens: processor?.model_max_length ?? settings.max_seq_length ?? undefined,
    lowerCase: settings.do_lower_case ?? false,
    paddingSide: processor?.padding_side,
    truncationSide: processor?.truncation_side,
    output: settings.modality_config?.text.method_output_name,
  };
}

/**
 * Prompts, how many values of a vector are kept, and how vectors are compared.
 * @param given prompts that there are in any case
 * @throws ModelLoadError
 */
export async function readModelSettings(folder: ModelFolder, given: Readonly<Record<string, string>> = {}) {
  const settings = (await folder.read(MODEL_SETTINGS_FILE, settingsSchema)) ?? {};
  const saved = Object.fromEntries(
    Object.entries(settings.prompts ?? {}).map(([name, prompt]) => [name, prompt ?? '']),
  );
  const prompts = { ...saved, ...given, ...saved };
  const defaultPrompt = settings.default_prompt_name ?? undefined;
  if (defaultPrompt !== undefined && !Object.hasOwn(prompts, defaultPrompt)) {
    const names = Object.keys(prompts).join(', ') || 'none';
    throw new ModelLoadError(
      `${MODEL_SETTINGS_FILE} has the default_prompt_name ${defaultPrompt}, which is none of its prompts: ${names}`,
    );
  }
  return {
    prompts,
    defaultPrompt,
    truncateDimensions: settings.truncate_dim ?? undefined,
    similarity: settings.similarity_fn_name ?? undefined,
  };
}
