import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FolderContent } from './model-folder.ts';
import { readTfjsWeights } from './tfjs-weights.ts';
import { SOURCE } from './use-lite.card.ts';
import { buildUseLiteModel, type UseLiteOptions } from './use-lite.graph.ts';
import { tokenizerJson, type VocabularyEntry } from './use-lite.tokenizer.ts';

/** The files made from the source package; the same package always gives the same bytes. */
export async function convertUseLite(options?: UseLiteOptions): Promise<FolderContent> {
  const folder = await locateSource();
  const weights = join(folder, 'dist');
  const vocabulary = JSON.parse(await readFile(join(weights, 'vocab.json'), 'utf8')) as VocabularyEntry[];
  return {
    'onnx/model.onnx': buildUseLiteModel(await readTfjsWeights(weights), options),
    'tokenizer.json': `${JSON.stringify(tokenizerJson(vocabulary))}\n`,
    LICENSE: await readFile(join(folder, 'LICENSE')),
  };
}

async function locateSource(): Promise<string> {
  const wanted = `${SOURCE.package} ${SOURCE.version}`;
  let description: string;
  try {
    description = createRequire(import.meta.url).resolve(`${SOURCE.package}/package.json`);
  } catch (cause) {
    throw new Error(`${wanted} is not installed; run npm ci`, { cause });
  }
  const { version } = JSON.parse(await readFile(description, 'utf8')) as { version: string };
  if (version !== SOURCE.version)
    throw new Error(`this step converts ${wanted}, but ${version} is installed`);
  return dirname(description);
}
