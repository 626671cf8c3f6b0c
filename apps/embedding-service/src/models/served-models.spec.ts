import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '@morgan/foundation';
import { ModelLoadError, NoRoomError } from '@morgan/local-embeddings';
import { StubModel } from '../../fixture/stub-model.ts';
import { ServedModels } from './served-models.ts';

const context = (signal = new AbortController().signal) => ({ id: 'test', signal });

/** A model that says what is done with it, and has room only beside so many others. */
class LoadableModel extends StubModel {
  static log: string[] = [];
  static loaded = 0;
  static room = Infinity;

  constructor(override readonly id: string) {
    super();
  }

  override load = (): Promise<void> => {
    if (LoadableModel.loaded >= LoadableModel.room)
      return Promise.reject(new ModelLoadError('no', { cause: new NoRoomError('no room') }));
    LoadableModel.log.push(`load ${this.id}`);
    LoadableModel.loaded += 1;
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  };

  override unload = (): Promise<void> => {
    LoadableModel.log.push(`unload ${this.id}`);
    LoadableModel.loaded -= 1;
    return Promise.resolve();
  };
}

async function serve({ room = Infinity, idleMs = 0, logger = silentLogger } = {}) {
  LoadableModel.log = [];
  LoadableModel.loaded = 0;
  LoadableModel.room = room;
  const [first, one, two, three] = ['first', 'one', 'two', 'three'].map((id) => new LoadableModel(id)) as [
    LoadableModel,
    LoadableModel,
    LoadableModel,
    LoadableModel,
  ];
  const models = new ServedModels([first, one, two, three], { idleMs, logger });
  await models.start();
  const use = (model: LoadableModel, signal?: AbortSignal) =>
    models.use(model, context(signal), () => Promise.resolve(model.id));
  return { models, first, one, two, three, use };
}

describe('the models of a service', () => {
  it('are found by name, and one that is not there is answered with those that are', async () => {
    const { models, first, two } = await serve();
    expect(models.named('two')).toBe(two);
    expect(models.named('default')).toBe(first);
    // As Infinity's clients name none.
    expect(models.named('default/not-specified')).toBe(first);
    expect(() => models.named('four')).toThrow("'first', 'one', 'two', 'three'");
    expect(() => models.named('four')).toThrow(expect.objectContaining({ code: 'model_not_found' }));
  });

  it('have names of their own', () => {
    const named = (...ids: [string, ...string[]]) =>
      new ServedModels(ids.map((id) => new LoadableModel(id)) as unknown as [StubModel]);
    expect(() => named('one', 'one')).toThrow("'one'");
    expect(() => named('one', 'default')).toThrow("'default' means the first model");
  });

  it('are loaded by the first call that names them, once', async () => {
    const { one, use } = await serve();
    expect(await Promise.all([use(one), use(one)])).toEqual(['one', 'one']);
    await use(one);
    expect(LoadableModel.log).toEqual(['load first', 'load one']);
  });

  it('are loaded one after the other, also where a call joins a load while others wait behind it', async () => {
    const { one, two, three, use } = await serve();
    let [underWay, most] = [0, 0];
    for (const model of [one, two, three])
      model.load = async () => {
        most = Math.max(most, (underWay += 1));
        await setImmediate();
        underWay -= 1;
      };
    await Promise.all([use(one), use(two), use(one), use(three)]);
    expect(most).toBe(1);
  });

  it('make room for another one, the least recently used first, and the first never', async () => {
    const { one, two, three, use } = await serve({ room: 3 });
    for (const model of [one, two, one, three]) await use(model);
    expect(LoadableModel.log).toEqual(['load first', 'load one', 'load two', 'unload two', 'load three']);
  });

  it('are not taken away from a call that uses them', async () => {
    const { models, one, two, use } = await serve({ room: 2 });
    const done = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const long = models.use(one, context(), () => {
      begun.resolve();
      return done.promise;
    });
    await begun.promise;
    await expect(use(two)).rejects.toMatchObject({ code: 'model_loading', param: 'model' });
    expect(LoadableModel.log).toEqual(['load first', 'load one']);
    done.resolve();
    await long;
  });

  it('that cannot be loaded are not tried again at once', async () => {
    const { one, use } = await serve();
    one.failure = new ModelLoadError('broken');
    for (let time = 0; time < 3; time += 1)
      await expect(use(one)).rejects.toMatchObject({ code: 'model_loading', retryAfterMs: 10_000 });
    expect(LoadableModel.log).toEqual(['load first', 'load one']);
  });

  it('are loaded for the next call where the first one goes away', async () => {
    const { one, use } = await serve();
    const loading = Promise.withResolvers<void>();
    one.load = () => loading.promise;
    const leaver = new AbortController();
    const left = use(one, leaver.signal);
    leaver.abort();
    await expect(left).rejects.toMatchObject({ code: 'client_closed_request' });
    const next = use(one);
    loading.resolve();
    expect(await next).toBe('one');
  });

  it('are not loaded any more once the service stops, and what the stop breaks off is no fault', async () => {
    const error = jest.fn();
    const { models, one, two, use } = await serve({ logger: { ...silentLogger, error } });
    const loading = Promise.withResolvers<void>();
    one.load = () => loading.promise;
    one.unload = () => Promise.resolve(loading.reject(new ModelLoadError('unloaded')));
    const calls = Promise.allSettled([use(one), use(two)]);
    await setImmediate();
    await models.stop();
    expect(await calls).toMatchObject(new Array(2).fill({ reason: { code: 'model_loading' } }));
    expect(LoadableModel.log).not.toContain('load two');
    expect(error).not.toHaveBeenCalled();
  });

  it('are loaded again only when all of them is gone', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const { one, use } = await serve({ idleMs: 1_000 });
      const gone = Promise.withResolvers<void>();
      one.unload = async () => {
        LoadableModel.log.push('unload one');
        await gone.promise;
        LoadableModel.log.push('one is gone');
      };
      await use(one);
      jest.advanceTimersByTime(1_000);
      const again = use(one);
      await setImmediate();
      expect(LoadableModel.log.at(-1)).toBe('unload one');
      gone.resolve();
      await again;
      expect(LoadableModel.log.slice(-2)).toEqual(['one is gone', 'load one']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('are unloaded when they are idle', async () => {
    jest.useFakeTimers();
    try {
      const { one, use } = await serve({ idleMs: 1_000 });
      await use(one);
      await jest.advanceTimersByTimeAsync(900);
      await use(one);
      await jest.advanceTimersByTimeAsync(900);
      expect(LoadableModel.log).not.toContain('unload one');
      await jest.advanceTimersByTimeAsync(200);
      expect(LoadableModel.log.slice(-1)).toEqual(['unload one']);
      await jest.advanceTimersByTimeAsync(10_000);
      expect(LoadableModel.log).not.toContain('unload first');
    } finally {
      jest.useRealTimers();
    }
  });
});
