import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ModelFolder } from '../model-folder.ts';
import { ModelLoadError } from '../model-load-error.ts';

/** The card that sentence-transformers writes has the settings of the loss in it, as JSON. */
export const CARD = 'README.md';
const OF_THE_LOSS = /"matryoshka_dims":\s*\[([\d\s,]+)\]/;
const configSchema = z.looseObject({
  matryoshka_dimensions: z.array(z.int().min(1)).min(1).optional().catch(undefined),
});

/**
 * The lengths that a model was trained to be cut to (Matryoshka): `matryoshka_dimensions` in its config.json, or those of
 * the loss in its card. Undefined where neither says any.
 * @param config path of config.json
 */
export async function readDeclaredDimensions(
  folder: ModelFolder,
  config: string,
): Promise<readonly number[] | undefined> {
  const { matryoshka_dimensions: configured } = (await folder.read(config, configSchema)) ?? {};
  const declared = configured ?? (await ofTheCard(folder));
  return declared && [...new Set(declared)].sort((one, other) => other - one);
}

async function ofTheCard(folder: ModelFolder): Promise<readonly number[] | undefined> {
  if (!folder.has(CARD)) return undefined;
  const card = await readFile(folder.pathOf(CARD), 'utf8').catch((cause: Error) => {
    throw new ModelLoadError(`${CARD} cannot be read: ${cause.message}`, { cause });
  });
  const list = OF_THE_LOSS.exec(card)?.[1];
  const dimensions = list
    ?.split(',')
    .map(Number)
    .filter((value) => value > 0);
  return dimensions && dimensions.length > 0 ? dimensions : undefined;
}
