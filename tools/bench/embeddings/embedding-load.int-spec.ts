import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { LocalServer, processorSeconds } from '@morgan/testing';
import { benchTexts } from './bench-texts.ts';
import { sendAll } from './embedding-load.ts';

const arrived: string[][] = [];
const server = new LocalServer(async (request, response) => {
  const { input } = (await json(request)) as { input: string[] };
  arrived.push(input);
  response.end('{}');
});
beforeAll(() => server.listen());
afterAll(() => server.close());

describe('the load of the embedding bench', () => {
  it('has texts of the same lengths and other words for every seed', () => {
    const lengthsOf = (seed: number) => benchTexts('mixed', 125, seed).map((text) => text.split(' ').length);
    expect(lengthsOf(1)).toEqual(lengthsOf(2));
    expect(new Set(lengthsOf(1)).size).toBe(125);
    const both = [...benchTexts('short', 500, 1), ...benchTexts('short', 500, 2)];
    expect(new Set(both).size).toBe(1_000);
  });

  it('sends every text once', async () => {
    const texts = benchTexts('short', 100, 3);
    const target = { origin: server.origin, pid: process.pid };
    const { timesMs, textsPerCpuSecond } = await sendAll(target, texts, { clients: 3, textsPerRequest: 32 });
    expect(arrived.map((input) => input.length).sort((one, other) => one - other)).toEqual([4, 32, 32, 32]);
    expect(arrived.flat().sort()).toEqual(texts.toSorted());
    expect(timesMs).toHaveLength(4);
    expect(textsPerCpuSecond).toBeGreaterThan(0);
  });

  it('counts the processor time of processes that were started, and have ended, too', async () => {
    const before = await processorSeconds(process.pid);
    const burn = 'const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);';
    await promisify(execFile)(process.execPath, ['-e', burn]);
    expect((await processorSeconds(process.pid)) - before).toBeGreaterThan(0.28);
  });
});
