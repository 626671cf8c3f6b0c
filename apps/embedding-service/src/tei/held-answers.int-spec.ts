import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { postJson, waitFor } from '@morgan/testing';
import { type Served, serve } from '../../fixture/served.ts';

const MODEL = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);
const HALF_BYTES = 32_768;
const texts = Array.from({ length: 60 }, () => 'a cat '.repeat(20));

let served: Served;
let upload: Socket;

beforeEach(async () => {
  served = await serve({
    EMBEDDING_MODEL: MODEL,
    MAX_BODY_BYTES: String(2 * HALF_BYTES),
    BODY_LIMIT_BYTES: String(HALF_BYTES),
    BODY_QUEUE_TIMEOUT_MS: '1',
  });
  upload = connect(Number(new URL(served.url).port), '127.0.0.1');
});
afterEach(async () => {
  upload.destroy();
  await served.close();
});

/** A body that is announced and does not come. */
async function holdHalf(): Promise<void> {
  const length = `content-length: ${HALF_BYTES}\r\n`;
  upload.write(`POST /embed HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${length}\r\n{`);
  await waitFor(
    async () => {
      const text = await (await fetch(`${served.url}/metrics`)).text();
      return text.includes(`\nmorgan_http_body_bytes ${HALF_BYTES}\n`);
    },
    { what: 'the room that the upload takes' },
  );
}

it.each([
  ['/tokenize', {}],
  ['/embed_all', { truncate: true }],
])('what %s holds until it is read has a bound', async (path, more) => {
  const ask = () => postJson(`${served.url}${path}`, { inputs: texts, ...more });
  const alone = await ask();
  expect(alone.status).toBe(200);
  await alone.arrayBuffer();
  await holdHalf();
  const refused = await ask();
  expect([refused.status, await refused.json()]).toMatchObject([429, { error_type: 'Overloaded' }]);
});
