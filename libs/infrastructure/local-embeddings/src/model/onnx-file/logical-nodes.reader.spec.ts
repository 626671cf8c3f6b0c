import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { modelFile } from '../../../fixture/onnx-graph.ts';
import { block, text } from '../../../fixture/protobuf.ts';
import { ModelFolder } from '../model-folder.ts';
import { readLogicalNodes } from './logical-nodes.reader.ts';

/** Field numbers are those of onnx.proto. */
const node = (operator: string, name: string) =>
  block(1, [
    text(1, 'a'),
    text(1, 'b'),
    text(2, 'c'),
    ...(name === '' ? [] : [text(3, name)]),
    text(4, operator),
  ]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-nodes-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('names the nodes that WebGPU is not to run', async () => {
  const nodes = [
    node('And', '/mask/And'),
    node('MatMul', '/layer/MatMul'),
    node('Or', '/mask/Or'),
    node('And', ''),
    node('Xor', '/mask/Xor'),
  ];
  await writeFile(join(folder, 'model.onnx'), modelFile(nodes));
  expect(await readLogicalNodes(new ModelFolder(folder), 'model.onnx')).toEqual([
    '/mask/And',
    '/mask/Or',
    '/mask/Xor',
  ]);
});
