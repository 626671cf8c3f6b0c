import { join } from 'node:path';
import { readExternalData } from './model/external-data.reader.ts';
import { chooseGraphFile, type GraphChoice } from './model/graph-file.chooser.ts';
import { ModelFolder } from './model/model-folder.ts';
import { ModelLoadError } from './model/model-load-error.ts';
import type { ModelSource } from './model-source.ts';

/** Where the files of a model are, or will be once they are downloaded. */
export function modelFolder(source: ModelSource): string {
  if (source.kind === 'folder') return source.path;
  const { cacheDir, revision, id } = source;
  return join(cacheDir, revision === 'main' ? '' : encodeURIComponent(revision), id);
}

/**
 * Whether a download has nothing more to do. The graph comes after all files but its own data files, and says itself
 * which those are.
 */
export async function isComplete(path: string, choice: GraphChoice): Promise<boolean> {
  const folder = new ModelFolder(path);
  try {
    const { file } = chooseGraphFile(folder, '', choice);
    return (await readExternalData(folder, file)).every((name) => folder.has(name));
  } catch (error) {
    if (error instanceof ModelLoadError) return false;
    throw error;
  }
}
