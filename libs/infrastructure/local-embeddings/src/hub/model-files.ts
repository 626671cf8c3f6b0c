import { join } from 'node:path';
import { readExternalData } from '../model/onnx-file/external-data.reader.ts';
import { chooseGraphFile, type GraphChoice } from '../model/plan/graph-file.chooser.ts';
import { ModelFolder } from '../model/model-folder.ts';
import { ModelLoadError } from '../model/model-load-error.ts';
import { isStatic } from '../model/plan/model2vec-plan.reader.ts';
import { openFolder } from '../model/plan/plan.reader.ts';
import { isRanking } from '../model/plan/ranking-plan.reader.ts';
import { MODULES_FILE } from '../model/plan/modules.reader.ts';
import { tableFile } from '../model/plan/token-table.reader.ts';
import type { ModelSource } from './model-source.ts';

/** Where the files of a model are, or will be once they are downloaded. */
export function modelFolder(source: ModelSource): string {
  if (source.kind === 'folder') return source.path;
  const { cacheDir, revision, id } = source;
  return join(cacheDir, revision === 'main' ? '' : encodeURIComponent(revision), id);
}

/** Whether a folder holds a cross-encoder; false where it is not there, or cannot be read. */
export async function isRankingFolder(path: string): Promise<boolean> {
  try {
    return await isRanking(openFolder(path));
  } catch (error) {
    if (error instanceof ModelLoadError) return false;
    throw error;
  }
}

/** The folder of graph and tokenizer within that of the model, as `modules.json` says it; empty as a rule. @throws ModelLoadError */
async function rootOf(folder: ModelFolder): Promise<string> {
  const modules = await folder.json(MODULES_FILE);
  const first = (Array.isArray(modules) ? modules[0] : undefined) as { readonly path?: unknown } | undefined;
  return typeof first?.path === 'string' ? first.path : '';
}

/** The graph that would be loaded, and its data files, or the table of a static model. @throws ModelLoadError */
async function weightFiles(folder: ModelFolder, choice: GraphChoice): Promise<readonly string[]> {
  const root = await rootOf(folder);
  if (await isStatic(folder, choice.backend)) return [tableFile(root)];
  const { file } = chooseGraphFile(folder, root, choice);
  return [file, ...(await readExternalData(folder, file))];
}

/**
 * Size of the graph that would be loaded, and of its data files; 0 where that cannot be said: the load will say why.
 */
export async function weightsBytes(path: string, choice: GraphChoice): Promise<number> {
  try {
    const folder = openFolder(path);
    const files = await weightFiles(folder, choice);
    return files.reduce((sum, name) => sum + (folder.has(name) ? folder.sizeOf(name) : 0), 0);
  } catch (error) {
    if (error instanceof ModelLoadError) return 0;
    throw error;
  }
}

/**
 * Whether a download has nothing more to do. The graph comes after all files but its own data files, and says itself
 * which those are.
 */
export async function isComplete(path: string, choice: GraphChoice): Promise<boolean> {
  const folder = new ModelFolder(path);
  try {
    return (await weightFiles(folder, choice)).every((name) => folder.has(name));
  } catch (error) {
    if (error instanceof ModelLoadError) return false;
    throw error;
  }
}
