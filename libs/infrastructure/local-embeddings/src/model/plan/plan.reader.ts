import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Backend, ModelOptions } from '../embedding-model.types.ts';
import { findKnownModel } from './known-models.ts';
import { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';
import type { ModelPlan, VectorModule } from './model-plan.ts';
import { readModule } from './module-settings.reader.ts';
import { isModel2Vec, readModel2VecPlan } from './model2vec-plan.reader.ts';
import { MODULES_FILE } from './modules.reader.ts';
import { isRanking, readRankingPlan } from './ranking-plan.reader.ts';
import {
  MODEL_SETTINGS_FILE,
  POOLING_FOLDER,
  readModelSettings,
  readSentencePlan,
  readTransformer,
  TRANSFORMER_SETTINGS_FILES,
} from './sentence-plan.reader.ts';

const FASTEMBED_GRAPH = 'model_optimized.onnx';
/** Optimum calls what it has optimised as FastEmbed does, and leaves this beside it. */
const OPTIMUM_FILE = 'ort_config.json';
/** Folders of modules whose steps are taken where no file names any. */
const PLAIN_MODULE = /^\d+_(Transformer|Pooling|Normalize)$/;

/** Kinds of modules behind the first that every backend stands in for. */
const COMMON_MODULE = /\.(Pooling|Normalize|Dropout)$/;
/** What says how to pool, in folders without a `modules.json` too. */
const POOLING = { kind: 'Pooling', path: POOLING_FOLDER, output: 'sentence_embedding' } as const;
/** As much of `modules.json` as backends that do not go by it have to know. */
const moduleTypesSchema = z.array(z.looseObject({ type: z.string() }));

const networkSchema = z.looseObject({ architectures: z.array(z.string()).optional().catch(undefined) });
const TOKEN_BY_TOKEN = /col(bert|xlm)/i;

/**
 * The folder that holds the files: the hub's own cache, which FastEmbed uses too, keeps them in `snapshots/REVISION`.
 * @throws ModelLoadError where there are several revisions and none is `main`
 */
export function openFolder(path: string): ModelFolder {
  const snapshots = join(path, 'snapshots');
  if (!existsSync(snapshots)) return new ModelFolder(path);
  const main = join(path, 'refs/main');
  const revisions = readdirSync(snapshots);
  const revision = existsSync(main)
    ? readFileSync(main, 'utf8').trim()
    : revisions.length === 1
      ? revisions[0]
      : undefined;
  if (revision === undefined || !revisions.includes(revision))
    throw new ModelLoadError(`none of the snapshots is "main"; name one of: ${revisions.join(', ')}`);
  return new ModelFolder(join(snapshots, revision));
}

/** Finds out how the vectors of a folder are made. @throws ModelLoadError */
export async function readPlan(folder: ModelFolder, options: ModelOptions): Promise<ModelPlan> {
  const backend = options.backend === 'auto' ? await findBackend(folder) : options.backend;
  assertUsed(backend, options.graph);
  const plan = await planOf(folder, backend, options);
  if (plan.isTable) assertNoGraph(options);
  const { promptName, truncateDimensions } = options;
  if (promptName !== undefined && !Object.hasOwn(plan.prompts, promptName)) {
    const names = Object.keys(plan.prompts).join(', ') || 'none';
    throw new ModelLoadError(
      `EMBEDDING_PROMPT_NAME is ${promptName}, which is none of the model's prompts: ${names}`,
    );
  }
  return {
    ...plan,
    defaultPrompt: promptName ?? plan.defaultPrompt,
    truncateDimensions: truncateDimensions ?? plan.truncateDimensions,
  };
}

/** What no file of the folder contradicts, but the backend has no use for, would change nothing in silence. */
function assertUsed(backend: Backend, graph: ModelOptions['graph'] = {}): void {
  const { inputs, pooling, normalize } = graph;
  const vectors = { EMBEDDING_POOLING: pooling, EMBEDDING_NORMALIZE: normalize };
  const unused =
    backend === 'transformers'
      ? { EMBEDDING_GRAPH_INPUTS: inputs }
      : backend === 'cross-encoder' || backend === 'model2vec'
        ? vectors
        : {};
  const [name] = Object.entries(unused).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined)
    throw new ModelLoadError(
      `${name} is not used by the backend ${backend}: take it away, or choose another one`,
    );
}

/** A table of vectors is no graph, and looking them up is no work for a GPU. @throws ModelLoadError */
function assertNoGraph({ graph = {}, device }: ModelOptions): void {
  const unused = {
    EMBEDDING_GRAPH_FILE: graph.file,
    EMBEDDING_GRAPH_INPUTS: graph.inputs,
    EMBEDDING_GRAPH_OUTPUT: graph.output,
  };
  const [name] = Object.entries(unused).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined)
    throw new ModelLoadError(
      `${name} is not used for a static model, whose vectors of tokens are looked up in a table: take it away`,
    );
  if (device !== 'cpu' && device !== 'auto')
    throw new ModelLoadError(
      `EMBEDDING_DEVICE is ${device}, and the vectors of a static model are looked up on the CPU: it has to be cpu or auto`,
    );
}

async function findBackend(folder: ModelFolder): Promise<Backend> {
  if (await isRanking(folder)) return 'cross-encoder';
  if (await isModel2Vec(folder)) return 'model2vec';
  if (folder.has(MODULES_FILE)) return 'sentence-transformers';
  const isOfFastEmbed = folder.has(FASTEMBED_GRAPH) && folder.has('special_tokens_map.json');
  if (isOfFastEmbed && !folder.has(OPTIMUM_FILE)) return 'fastembed';
  const config = (await folder.json('config.json')) as Record<string, unknown> | undefined;
  return config && 'transformers.js_config' in config ? 'transformers' : 'onnx';
}

async function planOf(folder: ModelFolder, backend: Backend, options: ModelOptions): Promise<ModelPlan> {
  const { pooling, normalize } = options.graph ?? {};
  if (backend === 'cross-encoder') return readRankingPlan(folder);
  if (backend === 'sentence-transformers') {
    if (pooling !== undefined || normalize !== undefined) {
      throw new ModelLoadError(
        `${MODULES_FILE} says how vectors are made, and EMBEDDING_POOLING or EMBEDDING_NORMALIZE says it too; ` +
          'take the settings away, or choose the backend onnx',
      );
    }
    return readSentencePlan(folder);
  }
  await checkModules(folder, backend);
  if (backend === 'model2vec') return readModel2VecPlan(folder);
  const found = pooling ? undefined : await readModule(folder, POOLING).catch(missing(folder));
  const says = found !== undefined || pooling !== undefined;
  if (!says) await checkNetwork(folder);
  const known = says ? undefined : await findKnownModel(folder, backend);
  const guess = known?.pooling ?? (backend === 'fastembed' ? 'cls' : 'mean');
  const pooled: VectorModule = found ?? {
    type: 'pooling',
    modes: pooling ?? [guess],
    includePrompt: true,
  };
  const asKnown = known?.pooling ? `, as in ${known.name}` : '';
  return {
    backend,
    root: '',
    modules: [pooled, ...((normalize ?? !known?.isUnscaled) ? [{ type: 'normalize' } as const] : [])],
    ...(backend === 'fastembed' ? { prompts: {} } : await readModelSettings(folder)),
    ...(await readTransformer(folder, '')),
    // Where the graph pools by itself this is never said: see EmbeddingModel.
    notes: says
      ? []
      : [`nothing in the folder says how token vectors become one; "${guess}" is used${asKnown}`],
    lacksDense: known?.hasDense && known.name,
    files: [`${POOLING_FOLDER}/config.json`, MODEL_SETTINGS_FILE, ...TRANSFORMER_SETTINGS_FILES],
  };
}

/** Modules that change vectors would be left out without a word. @throws ModelLoadError */
async function checkModules(folder: ModelFolder, backend: Backend): Promise<void> {
  const [, ...modules] = (await folder.read(MODULES_FILE, moduleTypesSchema)) ?? [];
  const left = modules.find(({ type }) => !COMMON_MODULE.test(type));
  if (left !== undefined)
    throw new ModelLoadError(
      `${MODULES_FILE} has the module ${left.type}, which the backend ${backend} would leave out: choose sentence-transformers`,
    );
  const unclear = folder.modules().find((name) => !PLAIN_MODULE.test(name));
  if (unclear === undefined || folder.has(MODULES_FILE)) return;
  throw new ModelLoadError(
    `${unclear} holds a module, and ${MODULES_FILE}, which says what it is and where it stands, is missing`,
  );
}

/** A mean that nobody asked for would pass for the vector of a text. @throws ModelLoadError */
async function checkNetwork(folder: ModelFolder): Promise<void> {
  const { architectures } = (await folder.read('config.json', networkSchema)) ?? {};
  const network = architectures?.find((name) => TOKEN_BY_TOKEN.test(name));
  if (network === undefined) return;
  throw new ModelLoadError(
    `config.json names the network ${network}, which compares texts token by token: it has no vector for a text. ` +
      'EMBEDDING_POOLING says how one is made all the same',
  );
}

/** A folder without settings of pooling is no fault; settings that are not understood are. */
function missing(folder: ModelFolder) {
  return (error: unknown): undefined => {
    if (folder.has(`${POOLING_FOLDER}/config.json`)) throw error;
  };
}
