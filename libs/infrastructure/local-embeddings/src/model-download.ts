import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@morgan/foundation';
import { HubFile } from './hub-file.ts';
import { missingFile, modelFolder, REQUIRED_FILES, SENTENCE_FILES, weightsFile } from './model-files.ts';
import { ModelHub } from './model-hub.ts';
import { type HubSource, ModelLoadError } from './model-source.ts';

/** What a download works with. */
export interface ModelDownloadOptions {
  readonly source: HubSource;
  /** Which of the weights. */
  readonly dtype: string;
  readonly logger: Logger;
  /** Ends the download; nothing half is left. */
  readonly signal: AbortSignal;
}

/**
 * Gets the files of a hub model that are not in its folder yet. The weights come last, so that a folder that has them
 * needs the hub no more.
 * @throws ModelLoadError, HttpClientError, an error of the file system.
 */
export async function downloadModel({ source, dtype, logger, signal }: ModelDownloadOptions): Promise<void> {
  const folder = modelFolder(source);
  if (missingFile(folder, dtype) === undefined) return;
  const hub = new ModelHub({ ...source, logger });
  const has = async (name: string) => {
    const target = join(folder, name);
    if (existsSync(target)) return true;
    const path = `${source.id}/resolve/${encodeURIComponent(source.revision)}/${name}`;
    return new HubFile({ name, path, target, hub, logger, signal }).download();
  };
  const need = async (name: string) => {
    if (!(await has(name))) throw new ModelLoadError(`the hub has no ${name} in revision ${source.revision}`);
  };
  try {
    for (const name of REQUIRED_FILES) await need(name);
    for (const name of SENTENCE_FILES) await has(name);
    const weights = weightsFile(dtype);
    // Weights above 2 GiB do not fit into one ONNX file; the rest is in `…_data`, `…_data_1` and so on.
    for (let chunk = 0; await has(`${weights}_data${chunk > 0 ? `_${chunk}` : ''}`);) chunk += 1;
    await need(weights);
  } finally {
    await hub.stop();
  }
}
