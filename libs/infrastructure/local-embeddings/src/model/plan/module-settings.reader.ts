import { posix } from 'node:path';
import { z } from 'zod';
import { POOLING_MODES, type PoolingMode } from '../embedding-model.types.ts';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { ACTIVATIONS, type ActivationName, type VectorModule } from './model-plan.ts';

/** The older spelling, in the order in which sentence-transformers concatenates. */
const POOLING_FLAGS = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
} as const satisfies Record<string, PoolingMode>;

const dimension = z.int().min(1);
const flag = z.boolean().optional();
const poolingFlag = z.boolean().nullish();
const mode = z.enum(POOLING_MODES);
/** What a module gives: the vector of a text, or the score of a pair of texts. */
export type ModuleOutput = 'sentence_embedding' | 'scores';
/** Modules that read or write anything else are not understood. */
const ofTexts = z.literal(
  'sentence_embedding',
  'a layer for anything but the vectors of texts is not understood',
);
const ofPairs = z.literal('scores', 'the last layer of a cross-encoder gives scores');
const vectorOnly = { module_input_name: ofTexts.optional(), module_output_name: ofTexts.nullish() };

const poolingSchema = z.strictObject({
  embedding_dimension: dimension.optional(),
  word_embedding_dimension: dimension.optional(),
  pooling_mode: z.union([mode, z.array(mode).min(1)]).optional(),
  ...(Object.fromEntries(Object.keys(POOLING_FLAGS).map((key) => [key, poolingFlag])) as Record<
    keyof typeof POOLING_FLAGS,
    typeof poolingFlag
  >),
  include_prompt: flag,
});
const denseFields = {
  in_features: dimension,
  out_features: dimension,
  bias: flag,
  activation_function: z.string().optional(),
  use_residual: flag,
  module_input_name: ofTexts.optional(),
};
const denseSchemas = {
  sentence_embedding: z.strictObject({ ...denseFields, ...vectorOnly }),
  scores: z.strictObject({ ...denseFields, module_output_name: ofPairs }),
};
type DenseSettings = z.output<(typeof denseSchemas)[ModuleOutput]>;
const layerNormSchema = z.strictObject({ dimension });
const dropoutSchema = z.strictObject({ dropout: z.number().optional() });
const normalizeSchema = z.strictObject(vectorOnly);

/** The file with the weights of a Dense or LayerNorm module. */
export const MODULE_WEIGHTS = 'model.safetensors';

/** One module of a folder. */
interface ModulePlace {
  /** The last part of its type, such as `Pooling`. */
  readonly kind: string;
  /** Its folder. */
  readonly path: string;
  /** What it has to give. */
  readonly output: ModuleOutput;
}

/**
 * Reads the settings of one module of sentence-transformers, in the spellings of all its versions.
 * @returns undefined for a kind that is not known. @throws ModelLoadError for settings that are not, or that give something else
 */
export async function readModule(
  folder: ModelFolder,
  { kind, path, output }: ModulePlace,
): Promise<VectorModule | undefined> {
  if (output === 'scores' && kind !== 'Dense')
    throw new ModelLoadError(`the last module of a cross-encoder is a ${kind}; a Dense gives scores`);
  const file = posix.join(path, 'config.json');
  switch (kind) {
    case 'Pooling': {
      const settings = required(await folder.read(file, poolingSchema), file);
      return {
        type: 'pooling',
        modes: poolingModes(settings),
        includePrompt: settings.include_prompt ?? true,
      };
    }
    case 'Dense': {
      const schema: z.ZodType<DenseSettings> = denseSchemas[output];
      const settings = required(await folder.read(file, schema), file);
      requireWeights(folder, path);
      return {
        type: 'dense',
        path,
        inFeatures: settings.in_features,
        outFeatures: settings.out_features,
        bias: settings.bias ?? true,
        activation: activationOf(settings.activation_function, file),
        residual: settings.use_residual ?? false,
      };
    }
    case 'LayerNorm': {
      const settings = required(await folder.read(file, layerNormSchema), file);
      requireWeights(folder, path);
      return { type: 'layer-norm', path, dimension: settings.dimension };
    }
    case 'Normalize':
      // Older versions saved no settings for it.
      await folder.read(file, normalizeSchema);
      return { type: 'normalize' };
    case 'Dropout':
      // It does something in training only.
      await folder.read(file, dropoutSchema);
      return { type: 'dropout' };
    default:
      return undefined;
  }
}

/** The present spelling wins over the flags; no flag at all is `mean`, as in sentence-transformers. */
function poolingModes(settings: Readonly<Record<string, unknown>>): readonly PoolingMode[] {
  const named = settings['pooling_mode'] as PoolingMode | readonly PoolingMode[] | undefined;
  if (named !== undefined) return typeof named === 'string' ? [named] : named;
  const modes = Object.entries(POOLING_FLAGS)
    .filter(([key]) => settings[key] === true)
    .map(([, value]) => value);
  return modes.length > 0 ? modes : ['mean'];
}

function activationOf(name: string | undefined, file: string): ActivationName {
  if (name === undefined) return 'Tanh';
  const known = ACTIVATIONS.find(
    (activation) => name.startsWith('torch.nn.') && name.endsWith(`.${activation}`),
  );
  if (known) return known;
  throw new ModelLoadError(
    `${file}: the activation_function ${name} is not known; those of torch.nn that are: ${ACTIVATIONS.join(', ')}`,
  );
}

/** @throws ModelLoadError for a module without weights, or with those that are never read */
export function requireWeights(folder: ModelFolder, path: string): void {
  const file = posix.join(path, MODULE_WEIGHTS);
  if (folder.has(file)) return;
  const pickle = posix.join(path, 'pytorch_model.bin');
  if (!folder.has(pickle))
    throw new ModelLoadError(`${file} is missing; a pickle (pytorch_model.bin) in its place is never read`);
  throw new ModelLoadError(
    `${pickle} is a pickle, which can run code and is never read; save the model again with safetensors to get ${file}`,
  );
}

function required<T>(settings: T | undefined, file: string): T {
  if (settings === undefined) throw new ModelLoadError(`${file} is missing`);
  return settings;
}
