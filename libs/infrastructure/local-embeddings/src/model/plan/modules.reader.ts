import { z } from 'zod';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import type { VectorModule } from './model-plan.ts';
import { type ModuleOutput, readModule } from './module-settings.reader.ts';

export const MODULES_FILE = 'modules.json';

/** `sentence_transformers.models.Pooling` and, since version 5.4, where it is now, as a rule in a file of its own. Nobody else's classes. */
const KNOWN_TYPE =
  /^sentence_transformers\.(?:models|base\.modules|sentence_transformer\.modules)(?:\.\w+)?\.(\w+)$/;

const moduleSchema = z.strictObject({
  idx: z.int().optional(),
  name: z.string().optional(),
  path: z.string(),
  type: z.string(),
  kwargs: z.array(z.string()).optional(),
});
type ModuleEntry = z.output<typeof moduleSchema>;

/** The first module: a network, or a table of vectors of tokens. */
const FIRST_KINDS = ['Transformer', 'StaticEmbedding'] as const;
type FirstKind = (typeof FIRST_KINDS)[number];

/** How the vectors of tokens that are looked up become one. */
export const MEAN: VectorModule = { type: 'pooling', modes: ['mean'], includePrompt: true };

/** What `modules.json` names: what reads texts, and what comes behind it. */
export interface ModuleList {
  readonly first: FirstKind;
  /** Folder of the first module, relative to the model's; '' as a rule. */
  readonly root: string;
  readonly rest: readonly ModuleEntry[];
}

/** @returns undefined where there is no such file. @throws ModelLoadError */
export async function readModuleList(folder: ModelFolder): Promise<ModuleList | undefined> {
  const entries = await folder.read(MODULES_FILE, z.array(moduleSchema).min(1));
  if (!entries) return undefined;
  const [first, ...rest] = entries as [ModuleEntry, ...ModuleEntry[]];
  if (!KNOWN_TYPE.test(first.type))
    throw new ModelLoadError(
      `${MODULES_FILE} begins with ${first.type}, whose code is not run; if that does nothing but run the network, the backend onnx can do it`,
    );
  const known = FIRST_KINDS.find((name) => name === kindOf(first.type));
  if (known === undefined)
    throw new ModelLoadError(
      `${MODULES_FILE} begins with ${first.type}; understood there are: ${FIRST_KINDS.join(', ')}`,
    );
  for (const { type, kwargs = [] } of entries) {
    if (kwargs.length > 0)
      throw new ModelLoadError(
        `${MODULES_FILE} gives ${type} the kwargs ${kwargs.join(', ')}, which are not understood`,
      );
  }
  return { first: known, root: first.path, rest };
}

/**
 * Reads the modules behind the first one: a Pooling, which a StaticEmbedding does itself, and what is done to its vector.
 * @param output what the last of them gives
 * @throws ModelLoadError for one that is not understood
 */
export async function readModules(
  folder: ModelFolder,
  { first, rest }: Pick<ModuleList, 'first' | 'rest'>,
  output: ModuleOutput,
): Promise<VectorModule[]> {
  const modules: VectorModule[] = first === 'StaticEmbedding' ? [MEAN] : [];
  for (const [index, { type, path }] of rest.entries()) {
    const gives = index === rest.length - 1 ? output : 'sentence_embedding';
    const module = await readModule(folder, { kind: kindOf(type), path, output: gives });
    if (!module) throw notUnderstood(type);
    modules.push(module);
  }
  if (modules[0]?.type !== 'pooling')
    throw new ModelLoadError(
      `${MODULES_FILE} has no Pooling after the Transformer: it gives one vector per token`,
    );
  const again = modules.findIndex(({ type }, index) => type === 'pooling' && index > 0);
  if (again > 0) throw new ModelLoadError(`${MODULES_FILE} has a second Pooling, which is not understood`);
  return modules;
}

/** The last part of the type of a module. @throws ModelLoadError for a class that is not of sentence-transformers */
function kindOf(type: string): string {
  const kind = KNOWN_TYPE.exec(type)?.[1];
  if (kind === undefined) throw notUnderstood(type);
  return kind;
}

function notUnderstood(type: string): ModelLoadError {
  return new ModelLoadError(`${MODULES_FILE} has the module ${type}, which is not understood`);
}
