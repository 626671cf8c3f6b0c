import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readDeclaredDimensions } from './declared-dimensions.reader.ts';
import { ModelFolder } from '../model-folder.ts';

const CARD = `* Loss: MatryoshkaLoss with these parameters:
  \`\`\`json
  {
      "loss": "MultipleNegativesRankingLoss",
      "matryoshka_dims": [
          128,
          768,
          64
      ],
      "matryoshka_weights": [1, 1, 1]
  }
  \`\`\``;

let path: string;
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'morgan-dimensions-'));
});
afterAll(() => rm(path, { recursive: true }));

describe('the lengths that a model may be cut to', () => {
  it.each([
    ['config.json', { matryoshka_dimensions: [256, 512] }, '', [512, 256]],
    ['the card', {}, CARD, [768, 128, 64]],
    ['config.json rather than the card', { matryoshka_dimensions: [32] }, CARD, [32]],
    ['nothing', { matryoshka_dimensions: 'yes' }, 'a card', undefined],
  ])('are those of %s', async (_, config, card, expected) => {
    await writeFile(join(path, 'config.json'), JSON.stringify(config));
    await writeFile(join(path, 'README.md'), card);
    expect(await readDeclaredDimensions(new ModelFolder(path), 'config.json')).toEqual(expected);
  });

  it('are not guessed where the card cannot be read', async () => {
    await rm(join(path, 'config.json'), { force: true });
    await rm(join(path, 'README.md'), { force: true });
    await mkdir(join(path, 'README.md'));
    await expect(readDeclaredDimensions(new ModelFolder(path), 'config.json')).rejects.toThrow(
      'README.md cannot be read',
    );
  });
});
