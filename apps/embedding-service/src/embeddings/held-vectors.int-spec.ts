import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { postJson, waitFor } from '@morgan/testing';
import { EmbeddingHost } from '../../fixture/embedding-host.ts';
import { type Served, serve } from '../../fixture/served.ts';

const DIMENSIONS = 32;
const texts = Array.from({ length: 400 }, (_, index) => `text ${index}`);
const VECTOR_BYTES = texts.length * DIMENSIONS * 4;

let host: EmbeddingHost;
let served: Served;
let leave: AbortController;

/** Answers single texts, and leaves others waiting. */
beforeEach(async () => {
  host = new EmbeddingHost();
  leave = new AbortController();
  host.respond = ({ input }) =>
    input.length > 1 ? undefined : { body: { data: [{ embedding: Array(DIMENSIONS).fill(0.5) }] } };
  served = await serve({
    EMBEDDING_BACKEND: 'remote',
    EMBEDDING_REMOTE_HOSTS: await host.start(),
    EMBEDDING_REMOTE_MODEL: 'far-away',
    EMBEDDING_REMOTE_DIMENSIONS: String(DIMENSIONS),
    MAX_BODY_BYTES: '65536',
    BODY_LIMIT_BYTES: '32768',
    BODY_QUEUE_TIMEOUT_MS: '1',
  });
});
afterEach(async () => {
  leave.abort();
  await served.close();
  await host.close();
});

async function heldBytes(): Promise<number> {
  const text = await (await fetch(`${served.url}/metrics`)).text();
  return Number(/^morgan_http_body_bytes (\d+)$/m.exec(text)?.[1]);
}

it('vectors of an answer are held within the bytes of bodies, and calls above that are refused', async () => {
  // Each text twice: one vector is held for both.
  const body = JSON.stringify({ input: [...texts, ...texts] });
  const headers = { 'content-type': 'application/json' };
  const { signal } = leave;
  const waiting = fetch(`${served.url}/v1/embeddings`, { method: 'POST', body, headers, signal });
  const left = expect(waiting).rejects.toThrow('aborted');
  const wanted = body.length + VECTOR_BYTES;
  await waitFor(async () => (await heldBytes()) === wanted, { what: 'a call whose vectors count' });

  const refused = await postJson(`${served.url}/v1/embeddings`, { input: texts });
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'overloaded' } }]);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-3]$/);
  expect((await postJson(`${served.url}/v1/embeddings`, { input: 'one' })).status).toBe(200);

  leave.abort();
  await left;
  await waitFor(async () => (await heldBytes()) === 0, { what: 'the room of the call that left' });
});
