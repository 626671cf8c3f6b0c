import { readdirSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AttentionVariant,
  MASK_OF_ONE_ROW,
  node,
  UNKNOWN_BETWEEN,
  writeAttentionBert,
} from '../../../fixture/attention-bert.ts';
import type { GraphProbeRequest, GraphProbeResult } from '../../../fixture/graph-probe.worker.ts';
import { WorkerProbe } from '../../../fixture/worker-probe.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixture');
/** More than one block, and a last one that is not full, of the longest text. */
const BLOCK_ROWS = 4;
const graphs = ['reference-models', 'reference-rankers'].flatMap((kind) =>
  readdirSync(join(FIXTURES, kind), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => join(kind, name)),
);
/** Its scores have parts that are gathered from products of their own; exported for one text, which the probe has not. */
const OTHERS = /deberta|bert-one-text-graph/;

const probe = new WorkerProbe<GraphProbeRequest, GraphProbeResult>('./graph-probe.worker.ts');
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'morgan-blocks-'));
});
afterAll(async () => {
  await probe.stop();
  await rm(scratch, { recursive: true });
});

async function writeConstantElsewhere(): Promise<string> {
  const folder = join(scratch, 'constant-elsewhere');
  await writeAttentionBert(folder, { tableFile: 'Constant_7_attr__value' });
  return folder;
}

describe('a graph with its attention in blocks of rows', () => {
  it.each(graphs.filter((name) => !OTHERS.test(name)))(
    'gives what %s gives, padded rows included',
    async (name) => {
      const { found, distance } = await probe.ask({ path: join(FIXTURES, name), blockRows: BLOCK_ROWS });
      expect(found).toBe(true);
      expect(distance).toBeLessThan(1e-5);
    },
  );

  it('takes the only row of a mask for every block', async () => {
    const folder = join(scratch, 'mask-of-one-row');
    await writeAttentionBert(folder, { between: MASK_OF_ONE_ROW });
    const path = join(folder, 'onnx/model.onnx');
    expect(await probe.ask({ path, blockRows: BLOCK_ROWS })).toEqual({
      found: true,
      distance: expect.closeTo(0, 5),
    });
  });

  it.each([
    ['weights', () => Promise.resolve(join(FIXTURES, 'reference-models/bert-external-data'))],
    ['a constant that is a node', writeConstantElsewhere],
  ])('finds %s where links lead, as in the cache of the hub', async (what, model) => {
    const onnx = join(await model(), 'onnx');
    const [blobs, snapshot] = [join(scratch, what, 'blobs'), join(scratch, what, 'snapshot')];
    await mkdir(blobs, { recursive: true });
    await mkdir(snapshot);
    for (const [index, name] of readdirSync(onnx).entries()) {
      await copyFile(join(onnx, name), join(blobs, `blob-${index}`));
      await symlink(join('../blobs', `blob-${index}`), join(snapshot, name));
    }
    const path = join(snapshot, 'model.onnx');
    expect(await probe.ask({ path, blockRows: BLOCK_ROWS })).toEqual({
      found: true,
      distance: expect.closeTo(0, 5),
    });
  });

  it('refuses to go on with weights that were written to since it was opened', async () => {
    const folder = join(scratch, 'written-to');
    await cp(join(FIXTURES, 'reference-models/bert-mean'), folder, { recursive: true });
    const path = join(folder, 'onnx/model.onnx');
    await expect(probe.ask({ path, blockRows: BLOCK_ROWS, overwrite: path })).rejects.toThrow(
      'model.onnx was written to while it is in use',
    );
  });

  const variants: readonly [string, AttentionVariant][] = [
    ['scores that something unknown is done to', { between: UNKNOWN_BETWEEN }],
    ['shares over all rows of a token', { axis: 2 }],
    ['shares that are an output too', { showsShares: true }],
    [
      'scores that something else takes as well',
      { between: [node('Identity', ['scores'], 'scored'), node('ReduceMax', ['scores'], 'most')] },
    ],
  ];
  it.each(variants)('is not made of %s', async (what, variant) => {
    const folder = join(scratch, what);
    await writeAttentionBert(folder, variant);
    expect(await probe.ask({ path: join(folder, 'onnx/model.onnx'), blockRows: BLOCK_ROWS })).toEqual({
      found: false,
      distance: 0,
    });
  });
});
