import { fileURLToPath } from 'node:url';

/** Beside the apps in `dist`: the build puts it there, and a container image copies `dist` as it is. */
export const BUNDLED_MODEL_DIR = fileURLToPath(
  new URL('../../models/universal-sentence-encoder-lite', import.meta.url),
);
