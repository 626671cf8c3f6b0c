import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { postJson, waitFor } from '@morgan/testing';
import { type Served, serve } from '../fixture/served.ts';

const MODEL = join(
  import.meta.dirname,
  '../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);
const [LOUD, QUIET] = ['key-of-the-loud-one', 'key-of-the-quiet-one'] as const;
const LOUD_CALLS = 200;
const QUIET_TEXTS = 100;
/** Texts that are with the tokenizer do not wait. */
const TOKENIZED_TOGETHER = 64;

let served: Served;
let url: string;

beforeAll(async () => {
  const env = {
    EMBEDDING_MODEL: MODEL,
    EMBEDDING_BATCH_SIZE: '8',
    API_KEYS: `${LOUD},${QUIET}`,
  };
  served = await serve(env);
  ({ url } = served);
});

afterAll(async () => {
  signalModel('SIGCONT');
  await served.close();
});

/** To the processes of the model, which are children of this one. */
function signalModel(signal: NodeJS.Signals): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1];
      if (Number(parent) !== process.pid) continue;
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('model.process'))
        process.kill(Number(pid), signal);
    } catch {
      // It has ended since the list was read.
    }
  }
}

async function embed(key: string, input: readonly string[]): Promise<number> {
  const response = await postJson(`${url}/v1/embeddings`, { model: 'default', input }, { 'x-api-key': key });
  await response.arrayBuffer();
  return response.status;
}

async function waitingTexts(): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { 'x-api-key': QUIET } });
  const line = /^morgan_embedding_queue_length\{[^}]*\} (\d+)$/m.exec(await response.text());
  return Number(line?.[1]);
}

it('gives the callers of one key no more than their share, however many calls they have waiting', async () => {
  signalModel('SIGSTOP');
  let loudDone = 0;
  const loud = Array.from({ length: LOUD_CALLS }, async (_, call) => {
    const status = await embed(LOUD, [`loud ${call} a`, `loud ${call} b`]);
    loudDone += 1;
    return status;
  });
  await waitFor(async () => (await waitingTexts()) >= LOUD_CALLS * 2 - TOKENIZED_TOGETHER, {
    what: 'the loud calls',
  });
  const before = await waitingTexts();
  const quiet = embed(
    QUIET,
    Array.from({ length: QUIET_TEXTS }, (_, index) => `quiet ${index}`),
  ).then((status) => ({ status, loudDone }));
  await waitFor(async () => (await waitingTexts()) >= before + QUIET_TEXTS, { what: 'the quiet call' });
  signalModel('SIGCONT');
  const { status, loudDone: loudBefore } = await quiet;
  expect(status).toBe(200);
  // Call by call it would have been one text of a batch, and nearly all of the others' before it.
  expect(loudBefore).toBeLessThan(LOUD_CALLS * 0.6);
  expect(new Set(await Promise.all(loud))).toEqual(new Set([200]));
});
