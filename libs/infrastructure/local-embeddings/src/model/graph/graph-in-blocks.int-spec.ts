import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AttentionVariant,
  FLAT_BESIDE,
  maskOfRows,
  UNKNOWN_BETWEEN,
  writeAttentionBert,
} from '../../../fixture/attention-bert.ts';
import { ModelProbe } from '../../../fixture/model-probe.ts';

const probe = new ModelProbe();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-in-blocks-'));
});
afterAll(async () => {
  await probe.stop();
  await rm(folder, { recursive: true });
});

/** One and a half blocks. */
const LONG = 'red '.repeat(382);

async function open(variant: AttentionVariant = {}) {
  await writeAttentionBert(folder, variant);
  const { info, alone } = await probe.open(folder, {}, [LONG]);
  return { info, vector: alone[0] as number[] };
}

describe('a graph for long texts', () => {
  it('has its attention run in blocks, and gives the same vectors', async () => {
    const blocked = await open();
    expect(blocked.info.attentionBlocks).toEqual({ rows: 256, valuesPerPair: 0 });
    const whole = await open({ between: UNKNOWN_BETWEEN });
    expect(whole.info.attentionBlocks).toBeUndefined();
    whole.vector.forEach((value, index) => expect(blocked.vector[index]).toBeCloseTo(value, 6));
  });

  it('counts what is there for each pair of tokens all the same', async () => {
    const known = await open({ stated: 1_024, between: maskOfRows(true) });
    expect(known.info.attentionBlocks).toEqual({ rows: 256, valuesPerPair: 0 });
    const unknown = await open({ stated: 1_024, between: maskOfRows(false) });
    expect(unknown.info.attentionBlocks).toEqual({ rows: 256, valuesPerPair: 1 });
    unknown.vector.forEach((value, index) => expect(known.vector[index]).toBeCloseTo(value, 6));
  });

  it('is run at the limit that its files state, as memory allows it, and below where it does not bear that', async () => {
    const { info } = await open({ stated: 2_048, positions: 2_046 });
    expect(info).toMatchObject({ maxTokens: 2_046, limitMeasured: true });
    const whole = await open({ stated: 2_048, positions: 2_046, between: UNKNOWN_BETWEEN });
    expect(whole.info).toMatchObject({ maxTokens: 2_048, limitMeasured: false });
  });

  it('is run whole, and says so, where it does not run in blocks', async () => {
    const { info, vector } = await open({ between: FLAT_BESIDE });
    expect(info.attentionBlocks).toBeUndefined();
    expect(info.notes).toContainEqual(
      expect.stringMatching(
        /^long texts take more memory than they need, as attention is not run in blocks: /,
      ),
    );
    expect(vector.every(Number.isFinite)).toBe(true);
  });

  it('is run whole where its texts are no longer than usual', async () => {
    const { info } = await open({ stated: 512 });
    expect([info.maxTokens, info.attentionBlocks]).toEqual([512, undefined]);
  });
});
