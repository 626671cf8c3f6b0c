import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tinyTokenVector, writeTinyBert } from '../../../fixture/tiny-bert.ts';
import type { Device, ModelOptions } from '../embedding-model.types.ts';
import type { GraphBatch, GraphRunner } from './graph-runner.ts';
import { ModelLoadError } from '../model-load-error.ts';
import { OnnxGraph } from './onnx-graph.ts';
import { openModel } from '../open-model.ts';

const OUTPUT = 'last_hidden_state';
const PADDING = 0;
const OPTIONS: ModelOptions = { backend: 'auto', device: 'webgpu', dtype: 'fp32', threads: 1 };

/** What a device makes of the vector that the graph really has for a token at a place of a row of some length. */
type Change = (vector: number[], token: number, place: number, length: number) => number[];

/** The graph of the tiny model on a device of which no machine is needed. */
class StandIn implements GraphRunner {
  readonly length = undefined;
  closed = false;
  /** Of the rows of the last run, in tokens. */
  ran = 0;

  constructor(private readonly change: Change) {}

  run({ rows, length, ids }: GraphBatch) {
    this.ran = length;
    const vectors = Array.from(ids, (id, at) => this.change(tinyTokenVector(id), id, at % length, length));
    const data = Float32Array.from(vectors.flat());
    return Promise.resolve(new Map([[OUTPUT, { data, dims: [rows, length, data.length / ids.length] }]]));
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

let folder: string;
let opened: StandIn[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-device-'));
  await writeTinyBert(folder);
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => rm(folder, { recursive: true }));

/** @param gpu what WebGPU makes of vectors, and `cpu` the CPU; CUDA is not there */
function devicesAre(gpu: Change, cpu: Change = (vector) => vector): void {
  opened = [];
  jest.spyOn(OnnxGraph, 'open').mockImplementation((_, { device }: { device: Device }) => {
    if (device === 'cuda') return Promise.reject(new ModelLoadError('there is none'));
    const graph = new StandIn(device === 'cpu' ? cpu : gpu);
    opened.push(graph);
    return Promise.resolve(graph as unknown as OnnxGraph);
  });
}

const WRONG: Change = (vector, token) => vector.map((_, index) => Math.sin(token * 7 + index * 3));
const ROUNDED: Change = (vector) => vector.map((value, index) => value * (1 + 0.01 * (index - 1)));
const ROUNDED_A_TENTH: Change = (vector) =>
  vector.map((value, index) => value * (1 + 0.1 * ((index % 3) - 1)));

describe('a GPU that computes a graph wrongly', () => {
  it.each<[string, Change]>([
    ['other numbers', WRONG],
    ['no numbers', (vector) => vector.map(() => NaN)],
    ['zeros', (vector) => vector.map(() => 0)],
    ['other numbers from the eighth token on', (...args) => (args[2] < 7 ? args[0] : WRONG(...args))],
    ['a tenth more and less, where all digits are there', ROUNDED_A_TENTH],
  ])('is refused where it was asked for: %s', async (_, change) => {
    devicesAre(change);
    await expect(openModel(folder, OPTIONS)).rejects.toThrow(
      /^webgpu gives other numbers than the CPU for this graph \(cosine (-?0\.\d{4}|NaN) with \d+ tokens\); EMBEDDING_DTYPE=fp32/,
    );
    expect(opened.map(({ closed }) => closed)).toEqual([true, true]);
  });

  it('is left alone where any device will do', async () => {
    devicesAre(WRONG);
    const { info } = await openModel(folder, { ...OPTIONS, device: 'auto' });
    expect(info.device).toBe('cpu');
    expect(info.notes).toEqual(
      expect.arrayContaining([
        'cuda is not used: there is none',
        expect.stringMatching(/^webgpu is not used: webgpu gives other numbers than the CPU/),
      ]),
    );
    expect(opened.map(({ closed }) => closed)).toEqual([true, true, false]);
  });
});

describe('a GPU that rounds otherwise than the CPU', () => {
  it.each<[string, Change]>([
    ['all numbers', ROUNDED],
    ['those of padding', (vector, token) => (token === PADDING ? vector.map(() => NaN) : vector)],
  ])('serves: %s', async (_, change) => {
    devicesAre(change);
    expect((await openModel(folder, OPTIONS)).info.device).toBe('webgpu');
  });
});

it('is compared by no text that the graph does not bear', async () => {
  const short: Change = (vector, _token, _place, length) => {
    if (length > 6) throw new Error('beyond the last position');
    return vector;
  };
  devicesAre(short, short);
  const { info } = await openModel(folder, OPTIONS);
  expect([info.device, info.maxTokens]).toEqual(['webgpu', 6]);
});

it('pads texts on a GPU to a few lengths', async () => {
  devicesAre((vector) => vector);
  const model = await openModel(folder, OPTIONS);
  await model.run([{ ids: [2, 5, 6, 7, 3] }]);
  // The next step is 32, and the model takes 8.
  expect(opened[0]?.ran).toBe(8);
});

it('pads no text on a GPU whose vector is another one then', async () => {
  const maskless: Change = (vector, _token, _place, length) =>
    vector.map((value, index) => value + Math.sin(length * (index + 1)));
  devicesAre(maskless, maskless);
  const model = await openModel(folder, OPTIONS);
  expect([model.info.device, model.info.batchable]).toEqual(['webgpu', false]);
  const ids = [2, 5, 6, 7, 3];
  const { vectors } = await model.run([{ ids }]);
  const means = [0, 1, 2, 3].map(
    (at) =>
      ids.reduce((sum, id) => sum + (tinyTokenVector(id)[at] ?? NaN), 0) / ids.length +
      Math.sin(5 * (at + 1)),
  );
  const size = Math.hypot(...means);
  means.forEach((mean, at) => expect(vectors[at]).toBeCloseTo(mean / size, 5));
});
