import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort, postJson } from '@morgan/testing';
import { EmbeddingHost } from '../../fixture/embedding-host.ts';
import { serve, type Served } from '../../fixture/served.ts';

const open: Served[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.close()));
});

const urlAt = (port: number) => `http://127.0.0.1:${port}/v1`;

async function start(port: number, hosts: readonly string[]): Promise<Served> {
  const served = await serve({
    PORT: String(port),
    EMBEDDING_BACKEND: 'remote',
    EMBEDDING_REMOTE_HOSTS: hosts.join(','),
    EMBEDDING_REMOTE_MODEL: 'far-away',
    EMBEDDING_REMOTE_DIMENSIONS: '2',
  });
  open.push(served);
  return served;
}

/** Without the answer there would be none before the deadline: whoever wants a vector that is under way waits for it. */
async function embed({ url }: Served) {
  const response = await postJson(
    `${url}/v1/embeddings`,
    { model: 'far-away', input: 'abc' },
    { 'x-morgan-deadline-ms': '3000' },
  );
  return { status: response.status, body: await response.json() };
}

const LOOP = {
  status: 400,
  body: { error: { code: 'request_loop', message: expect.stringContaining('circle') } },
};

describe('a service that is a host of its own', () => {
  it('says so at once', async () => {
    const port = await freePort();
    expect(await embed(await start(port, [urlAt(port)]))).toMatchObject(LOOP);
  });

  it('says so where another one is between', async () => {
    const ports = [await freePort(), await freePort()] as const;
    const first = await start(ports[0], [urlAt(ports[1])]);
    await start(ports[1], [urlAt(ports[0])]);
    expect(await embed(first)).toMatchObject(LOOP);
  });

  it('asks its other hosts', async () => {
    await using host = new EmbeddingHost();
    const port = await freePort();
    const served = await start(port, [urlAt(port), await host.start()]);
    expect(await embed(served)).toMatchObject({ status: 200, body: { data: [{ embedding: [3, 1] }] } });
  });

  it('is no other one with the same model, which may be its host', async () => {
    await using host = new EmbeddingHost();
    const ports = [await freePort(), await freePort()] as const;
    await start(ports[1], [await host.start()]);
    expect((await embed(await start(ports[0], [urlAt(ports[1])]))).status).toBe(200);
  });
});
