import { describe, expect, it, jest } from '@jest/globals';
import { AppError, Deadline } from '@morgan/foundation';
import { EmbeddingService } from '../embeddings/embedding.service.ts';
import { StubModel } from '../../fixture/stub-model.ts';
import { CacheWarmer } from './cache-warmer.ts';

const context = () => ({ id: 'test', signal: new AbortController().signal });
const CONFIG = { concurrency: 1, inputsPerSecond: 0, maxCalls: 4 };

describe('CacheWarmer', () => {
  it('begins no job while a live call waits for the model', async () => {
    const model = new StubModel();
    const warmer = new CacheWarmer(new EmbeddingService({ model }), CONFIG);
    model.queueLength = 3;
    const done = warmer.warm({ inputs: ['a'] }, { context: context(), priority: 5 }, () => undefined);
    await model.statusAsked(3);
    expect(model.calls).toEqual([]);
    model.queueLength = 0;
    await done;
    expect(model.calls).toEqual([['a']]);
  });

  it('lets the more important of those that wait go first', async () => {
    const model = new StubModel();
    const warmer = new CacheWarmer(new EmbeddingService({ model }), CONFIG);
    model.queueLength = 1;
    const warm = (input: string, priority: number) =>
      warmer.warm({ inputs: [input] }, { context: context(), priority }, () => undefined);
    const all = [warm('first', 5), warm('late', 9), warm('urgent', 0)];
    await model.statusAsked(2);
    model.queueLength = 0;
    await Promise.all(all);
    expect(model.calls).toEqual([['first'], ['urgent'], ['late']]);
  });

  it('waits for the end of live calls no longer than its own call may take', async () => {
    const model = new StubModel();
    const warmer = new CacheWarmer(new EmbeddingService({ model }), CONFIG);
    model.queueLength = 1;
    const brief = { ...context(), deadline: Deadline.after(30) };
    const warming = warmer.warm({ inputs: ['a'] }, { context: brief, priority: 5 }, () => undefined);
    await expect(warming).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(model.calls).toEqual([]);
  });

  it('tries a job again where Redis has not taken its vectors, and says so', async () => {
    const model = new StubModel();
    const warmer = new CacheWarmer(new EmbeddingService({ model }), CONFIG);
    const late = new AppError('cache_unavailable', 'Late.');
    jest.spyOn(model, 'embed').mockRejectedValueOnce(late).mockRejectedValueOnce(late);
    const steps: unknown[] = [];
    await warmer.warm({ inputs: ['a'] }, { context: context(), priority: 5 }, (step) => steps.push(step));
    expect(steps).toEqual([{ of: 1, done: 1, cached: 0, computed: 1, failed: 0, retried: 2 }]);
  });

  it('stops where the fault is not about an input, and is free again', async () => {
    const model = new StubModel();
    const warmer = new CacheWarmer(new EmbeddingService({ model }), { ...CONFIG, maxCalls: 1 });
    model.failure = new AppError('queue_full', 'Full.');
    const warm = () =>
      warmer.warm({ inputs: ['a', 'b'] }, { context: context(), priority: 5 }, () => undefined);
    await expect(warm()).rejects.toMatchObject({ code: 'queue_full' });
    model.failure = undefined;
    await warm();
  });
});
