import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it, jest } from '@jest/globals';
import { EmbeddingCache } from '@morgan/cache';
import { LocalEmbeddingModel } from '@morgan/local-embeddings';
import { EmbeddingService } from './embedding.service.ts';

const FOLDER = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);
let service: EmbeddingService;
afterEach(() => service.stop());

it('texts that another call waits for are computed once, though the caller who asked first has left', async () => {
  const model = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1 } });
  service = new EmbeddingService({ model });
  await service.start();
  const begun = Promise.withResolvers<void>();
  const compute = model.embed.bind(model);
  const embed = jest.spyOn(model, 'embed').mockImplementation((...call) => {
    begun.resolve();
    return compute(...call);
  });
  const inputs = Array.from({ length: 64 }, (_, index) => `text ${index}`);
  const caller = new AbortController();
  const leaving = service.collect({ inputs }, { id: 'leaving', signal: caller.signal });
  const staying = service.collect({ inputs }, { id: 'staying', signal: new AbortController().signal });
  const left = expect(leaving).rejects.toMatchObject({ code: 'client_closed_request' });
  await begun.promise;
  // The other call is as far, and no process has answered yet.
  await turn();
  caller.abort();
  await left;
  const { items } = await staying;
  expect(items.map(({ vector }) => vector.length)).toEqual(inputs.map(() => 8));
  expect(embed.mock.calls.map(([texts]) => texts)).toEqual([inputs]);
});

it.each(['normal', 'no-store'] as const)(
  'what a process is at when the only caller leaves is kept for who asks again, unless nothing is to be stored (%s)',
  async (use) => {
    const cache = new EmbeddingCache();
    const model = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1 } });
    service = new EmbeddingService({ model, cache });
    await service.start();
    const begun = Promise.withResolvers<void>();
    const compute = model.embed.bind(model);
    jest.spyOn(model, 'embed').mockImplementation((...call) => {
      begun.resolve();
      return compute(...call);
    });
    const inputs = ['one text', 'and another'];
    const caller = new AbortController();
    const leaving = service.collect({ inputs }, { id: 'leaving', signal: caller.signal }, use);
    const left = expect(leaving).rejects.toMatchObject({ code: 'client_closed_request' });
    await begun.promise;
    // One turn later they are with the process, which has not answered yet.
    await turn();
    expect(model.getStatus().queueLength).toBe(0);
    caller.abort();
    await left;
    // Behind them in the same process.
    await service.embed('a third text');
    expect(cache.getStatus().entries).toBe(use === 'normal' ? 3 : 1);
    const { cached } = await service.collect(
      { inputs },
      { id: 'again', signal: new AbortController().signal },
    );
    expect(cached).toEqual(inputs.map(() => use === 'normal'));
  },
);
