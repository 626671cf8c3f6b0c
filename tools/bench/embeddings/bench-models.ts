import { join } from 'node:path';
import { DEFAULT_OUT_DIR } from '../../bundled-model/prepare.ts';
import { WORDS } from './bench-texts.ts';
import { writeRandomBert } from './random-bert.ts';

const SCRATCH = join(import.meta.dirname, '../../../.bench/random-bert');

/** A model that everybody in the bench runs. */
export interface BenchModel {
  readonly name: string;
  readonly folder: string;
  /** Others that can run it, by their names in `peer.ts`. */
  readonly peers: readonly string[];
  /** Texts of a round, so many that it takes some seconds. */
  readonly texts: { readonly short: number; readonly mixed: number; readonly alone: number };
}

/** The bundled model, and one of the size that is most in use. */
export async function benchModels(): Promise<BenchModel[]> {
  await writeRandomBert(SCRATCH, WORDS);
  return [
    {
      name: 'bundled model',
      folder: DEFAULT_OUT_DIR,
      peers: ['transformers.js', '@energetic-ai/embeddings'],
      texts: { short: 2_048, mixed: 1_000, alone: 200 },
    },
    {
      name: 'BERT of 6 x 384',
      folder: SCRATCH,
      peers: ['transformers.js'],
      texts: { short: 512, mixed: 250, alone: 60 },
    },
  ];
}
