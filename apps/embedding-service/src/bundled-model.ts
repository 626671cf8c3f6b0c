import { fileURLToPath } from 'node:url';

/** From here to `dist`: a bundle lies in it, in `apps/embedding-service`; the sources lie beside it, one folder deeper. */
const DIST = import.meta.url.endsWith('.ts') ? '../../../dist' : '../..';

/** In `dist`, beside the apps: the build puts it there, and a container image copies `dist` as it is. */
export const BUNDLED_MODEL_DIR = fileURLToPath(
  new URL(`${DIST}/models/universal-sentence-encoder-lite`, import.meta.url),
);
