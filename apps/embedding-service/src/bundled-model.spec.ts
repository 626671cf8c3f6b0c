import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { BUNDLED_MODEL_DIR } from './bundled-model.ts';

it('the sources know where the build puts the bundled model', () => {
  const root = join(import.meta.dirname, '../../..');
  expect(BUNDLED_MODEL_DIR).toBe(join(root, 'dist/models/universal-sentence-encoder-lite'));
});
