import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Logger } from '@morgan/foundation';
import type { HttpClientOptions } from '@morgan/http-client';
import { HubFile } from './hub-file.ts';
import { CARD } from '../model/plan/declared-dimensions.reader.ts';
import { readExternalData } from '../model/onnx-file/external-data.reader.ts';
import { EXPORT, type GraphChoice, graphCandidates } from '../model/plan/graph-file.chooser.ts';
import { ModelFolder } from '../model/model-folder.ts';
import { ModelLoadError } from '../model/model-load-error.ts';
import { isStatic } from '../model/plan/model2vec-plan.reader.ts';
import { MODULE_WEIGHTS } from '../model/plan/module-settings.reader.ts';
import { MODULES_FILE } from '../model/plan/modules.reader.ts';
import { CHAT_TEMPLATE_FILE, isRanking } from '../model/plan/ranking-plan.reader.ts';
import {
  MODEL_SETTINGS_FILE,
  POOLING_FOLDER,
  TRANSFORMER_SETTINGS_FILES,
} from '../model/plan/sentence-plan.reader.ts';
import { tableFile } from '../model/plan/token-table.reader.ts';
import { TOKENIZER_SETTINGS_FILES } from '../model/tokenizer/tokenizer-settings.reader.ts';
import { isComplete, modelFolder } from './model-files.ts';
import { ModelHub } from './model-hub.ts';
import type { HubSource } from './model-source.ts';
import { removeAbandonedParts } from './part-files.ts';

/** What a download works with. */
export interface ModelDownloadOptions {
  readonly source: HubSource;
  /** Which of the graphs. */
  readonly choice: GraphChoice;
  readonly logger: Logger;
  /** Ends the download; nothing half is left. */
  readonly signal: AbortSignal;
  readonly proxy?: HttpClientOptions['proxy'];
  /** Looks at the settings in the folder before the weights come. A throw ends the download. */
  readonly check?: () => Promise<unknown>;
}

/** Notes the commit that the files of a folder are of. */
const COMMIT_FILE = '.commit';
const COMMIT = /^[\da-f]{40}$/;

/** Gets a file that is not there yet. Resolves with whether the hub has it. */
type Fetch = (name: string) => Promise<boolean>;

/**
 * Gets the files of a hub model that are not in its folder yet. The graph comes last, and then what it refers to, so that
 * a folder that has them needs the hub no more.
 * @throws ModelLoadError, HttpClientError, an error of the file system.
 */
export async function downloadModel(options: ModelDownloadOptions): Promise<void> {
  const { source, choice, logger, signal, proxy, check } = options;
  const folder = modelFolder(source);
  await removeAbandonedParts(folder);
  if (await isComplete(folder, choice)) return;
  const hub = new ModelHub({ ...source, logger, proxy });
  let commit = await keptCommit(folder);
  const has: Fetch = async (name) => {
    const target = join(folder, name);
    if (existsSync(target)) return true;
    const revision = commit ?? hub.commit ?? encodeURIComponent(source.revision);
    const path = `${source.id}/resolve/${revision}/${name}`;
    const isThere = await new HubFile({ name, path, target, hub, logger, signal }).download();
    if (isThere && hub.commit) commit ??= await keepCommit(folder, hub.commit);
    return isThere;
  };
  const begun = commit && ` at commit ${commit}, of which ${folder} holds other files already`;
  const missing = (name: string, hint?: string) =>
    new ModelLoadError(
      `the hub has no ${name} in revision ${source.revision}${begun ?? ''}${hint ? `. ${hint}` : ''}`,
    );
  const need = async (name: string) => {
    if (!(await has(name))) throw missing(name);
  };
  try {
    const root = await downloadSettings(new ModelFolder(folder), has);
    const config = posix.join(root, 'config.json');
    const hasConfig = await has(config);
    const isTable = await isStatic(new ModelFolder(folder), choice.backend);
    const tokenizer = posix.join(root, 'tokenizer.json');
    const lacking = !hasConfig && !isTable ? config : (await has(tokenizer)) ? undefined : tokenizer;
    if (!isTable) for (const name of TOKENIZER_SETTINGS_FILES) await has(posix.join(root, name));
    if (await isRanking(new ModelFolder(folder))) await has(CHAT_TEMPLATE_FILE);
    // Says more than that a file is missing which a model of another kind does not have.
    await check?.();
    if (lacking !== undefined) throw missing(lacking);
    await has(CARD);
    if (isTable) return await need(tableFile(root));
    const candidates = graphCandidates(choice, root);
    const graph = await firstOf(candidates, has);
    if (graph === undefined) throw missing(candidates[0] as string, EXPORT);
    for (const file of await dataFilesOf(new ModelFolder(folder), graph)) await need(file);
  } finally {
    await hub.stop();
  }
}

/**
 * The commit that the files of a folder are of: a download that was ended, or one more number format, goes on with the same,
 * though the branch has moved on. Undefined where the hub did not say it.
 */
async function keptCommit(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, COMMIT_FILE), 'utf8').catch(() => '');
  return COMMIT.exec(text)?.[0];
}

/** @returns that of another process where it was first */
async function keepCommit(folder: string, commit: string): Promise<string> {
  await writeFile(join(folder, COMMIT_FILE), commit, { flag: 'wx' }).catch(() => undefined);
  return (await keptCommit(folder)) ?? commit;
}

/** A damaged graph is taken away, so that the next start asks for it again. @throws ModelLoadError */
async function dataFilesOf(folder: ModelFolder, graph: string): Promise<readonly string[]> {
  try {
    return await readExternalData(folder, graph);
  } catch (error) {
    if (error instanceof ModelLoadError) await rm(folder.pathOf(graph));
    throw error;
  }
}

/** What sentence-transformers keeps beside a model. @returns the folder of the model proper, '' as a rule */
async function downloadSettings(folder: ModelFolder, has: Fetch): Promise<string> {
  if (!(await has(MODULES_FILE))) {
    await has(MODEL_SETTINGS_FILE);
    await has(`${POOLING_FOLDER}/config.json`);
    await firstOf(TRANSFORMER_SETTINGS_FILES, has);
    return '';
  }
  const content = (await folder.json(MODULES_FILE)) as readonly { readonly path?: unknown }[];
  const paths = Array.isArray(content)
    ? content.map(({ path }) => (typeof path === 'string' ? path : ''))
    : [];
  const [root = '', ...modules] = paths;
  // Throws for a path that leads out of the folder.
  for (const path of paths) folder.pathOf(path);
  await has(MODEL_SETTINGS_FILE);
  await firstOf(
    TRANSFORMER_SETTINGS_FILES.map((name) => posix.join(root, name)),
    has,
  );
  for (const path of modules) {
    await has(posix.join(path, 'config.json'));
    await has(posix.join(path, MODULE_WEIGHTS));
  }
  return root;
}

async function firstOf(names: readonly string[], has: Fetch): Promise<string | undefined> {
  for (const name of names) if (await has(name)) return name;
  return undefined;
}
