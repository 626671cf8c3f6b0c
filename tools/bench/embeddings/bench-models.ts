import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DEFAULT_OUT_DIR } from '../../bundled-model/prepare.ts';
import { convertUseLite } from '../../bundled-model/use-lite.conversion.ts';
import { WORDS } from './bench-texts.ts';
import { writeRandomBert } from './random-bert.ts';

const SCRATCH = join(import.meta.dirname, '../../../.bench');
const RANDOM_BERT = join(SCRATCH, 'random-bert');
const PLAIN_USE_LITE = join(SCRATCH, 'plain-use-lite');

/** A model that everybody in the bench runs. */
export interface BenchModel {
  readonly name: string;
  readonly folder: string;
  /** The same model with the graph that its package has, which the bare runtime is given; none where `folder` has that graph. */
  readonly plainFolder?: string;
  /** Others that can run it, by their names in `peer.ts`. */
  readonly peers: readonly string[];
  /** Texts of a round, so many that it takes some seconds. */
  readonly texts: { readonly short: number; readonly mixed: number; readonly alone: number };
}

/** The bundled model, and one of the size that is most in use. */
export async function benchModels(): Promise<BenchModel[]> {
  await writeRandomBert(RANDOM_BERT, WORDS);
  await writePlainUseLite();
  return [
    {
      name: 'bundled model',
      folder: DEFAULT_OUT_DIR,
      plainFolder: PLAIN_USE_LITE,
      peers: ['transformers.js', '@energetic-ai/embeddings'],
      texts: { short: 2_048, mixed: 1_000, alone: 200 },
    },
    {
      name: 'BERT of 6 x 384',
      folder: RANDOM_BERT,
      peers: ['transformers.js'],
      texts: { short: 512, mixed: 250, alone: 60 },
    },
  ];
}

async function writePlainUseLite(): Promise<void> {
  for (const [path, content] of Object.entries(await convertUseLite({ plain: true }))) {
    const file = join(PLAIN_USE_LITE, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
