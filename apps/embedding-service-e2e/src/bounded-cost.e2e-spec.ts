import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postJson, processorSeconds, type RunningService, startService, waitFor } from '@morgan/testing';

const MEGABYTE = 1_000_000;
/** As a pod with two CPUs has them. */
const WORKERS = 2;
const ALL_ALIVE = `"workersAlive":${WORKERS}`;

let service: RunningService;
beforeAll(async () => {
  const env = { EMBEDDING_WORKERS: String(WORKERS) };
  service = await startService({ app: 'embedding-service', env, readyWithinMs: 60_000 });
  // It is ready with one of them; what loading the others costs is no text's.
  const areLoaded = async () => (await (await fetch(`${service.url}/health`)).text()).includes(ALL_ALIVE);
  await waitFor(areLoaded, { what: 'all workers', timeoutMs: 60_000 });
});
afterAll(() => service.stop());

const post = (input: unknown) =>
  postJson(`${service.url}/v1/embeddings`, { model: 'default', input, encoding_format: 'base64' });

/** The service and the processes that it has started. */
function processes(): number[] {
  const pid = service.process.pid as number;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return [pid, ...children.map(Number)];
}

/** Memory of the whole service in MB, every process at its own peak. What is mapped from files they share, and it counts once. */
function peakMemory(): number {
  const readings = processes().map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1000;
    return { own: megabytes('VmHWM') - megabytes('RssFile'), shared: megabytes('RssFile') };
  });
  return readings.reduce((sum, { own }) => sum + own, 0) + Math.max(...readings.map(({ shared }) => shared));
}

/** How long each of the calls took, one after the other, as long as `work` lasts; sorted, in milliseconds. */
async function timesBeside(work: Promise<unknown>, call: (index: number) => Promise<Response>) {
  const times: number[] = [];
  let isOver = false;
  const over = work.finally(() => (isOver = true));
  for (let index = 0; !isOver; index += 1) {
    const startedAt = performance.now();
    await (await call(index)).arrayBuffer();
    times.push(performance.now() - startedAt);
  }
  await over;
  return times.sort((a, b) => a - b);
}

const KINDS: readonly (readonly [string, (length: number) => string])[] = [
  ['words', (length) => 'the quick brown fox '.repeat(length / 20)],
  ['one word', (length) => 'a'.repeat(length)],
  ['spaces', (length) => ' '.repeat(length)],
  ['base64', (length) => Buffer.alloc(length * 0.75, 'some bytes').toString('base64')],
  ['no spaces', (length) => 'thequickbrownfox'.repeat(length / 16)],
  ['emoji', (length) => '😀'.repeat(length / 4)],
  ['letters that no piece of the vocabulary has', (length) => '漢字仮名'.repeat(length / 12)],
  ['quotation marks, escaped', (length) => '"'.repeat(length / 2)],
  ['control characters, escaped', (length) => '\u0001'.repeat(length / 6)],
];

describe('one text of megabytes', () => {
  it.each(KINDS)('of %s is answered or refused, and costs little', async (_, write) => {
    const pid = service.process.pid as number;
    for (const megabytes of [1, 4, 16]) {
      const processorBefore = await processorSeconds(pid);
      const response = await post(write(megabytes * MEGABYTE));
      const { error } = (await response.json()) as { error?: { code: string; param: string } };
      if (response.status !== 200)
        expect([response.status, error?.code, error?.param]).toEqual([400, 'invalid_value', 'input[0]']);
      // It was a minute for 4 MB. What it is now goes into the JSON of the body, and grows with nothing but that.
      expect((await processorSeconds(pid)) - processorBefore).toBeLessThan(1);
    }
    expect(peakMemory()).toBeLessThan(700);
  });
});

describe('a large call', () => {
  const large = Array.from({ length: 512 }, (_, index) => `number ${index} of a lot of texts`);

  it('delays a single text by one batch, and /livez not at all', async () => {
    const work = post(large).then((response) => response.arrayBuffer());
    const startedAt = performance.now();
    const single = await timesBeside(work, (index) => post(`a single one ${index}`));
    const wholeMs = performance.now() - startedAt;
    // At least 16 batches, of which the service runs one a process at a time.
    expect(single[Math.floor(single.length / 2)]).toBeLessThan(wholeMs / 2);
    const again = post(large.map((text) => `${text}, again`)).then((response) => response.arrayBuffer());
    const live = await timesBeside(again, () => fetch(`${service.url}/livez`));
    expect(live[Math.floor(live.length / 2)]).toBeLessThan(500);
  });

  it('is admitted, however many texts it has and however short the queue is', async () => {
    await using tight = await startService({
      app: 'embedding-service',
      env: { EMBEDDING_QUEUE_TOKENS: '8', EMBEDDING_WORKERS: '1' },
      readyWithinMs: 60_000,
    });
    const response = await postJson(`${tight.url}/v1/embeddings`, {
      model: 'default',
      input: large.slice(0, 64),
    });
    expect([response.status, ((await response.json()) as { data: unknown[] }).data.length]).toEqual([
      200, 64,
    ]);
  });
});
