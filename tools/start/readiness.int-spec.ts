import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalServer } from '@morgan/testing';
import { untilReady } from './readiness.ts';

describe('untilReady', () => {
  const statuses: number[] = [];
  const server = new LocalServer((_, response) => response.writeHead(statuses.shift() ?? 503).end('{}'));

  beforeAll(() => server.listen());
  afterAll(() => server.close());

  it('outlasts 503', async () => {
    statuses.push(503, 503, 200);
    await untilReady('it', server.origin, new AbortController().signal);
    expect(statuses).toEqual([]);
  });

  it('ends with the reason of the signal', async () => {
    const over = new AbortController();
    const waiting = untilReady('it', server.origin, over.signal);
    over.abort(new Error('it died'));
    await expect(waiting).rejects.toThrow('it died');
  });
});
