import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import type { Compute } from './cache-call.ts';
import { type CacheUse, EmbeddingCache } from './embedding-cache.ts';

const embedding = (value: number) => ({ vector: Float32Array.of(value), tokenCount: 1, truncated: false });
const valueOf = (key: string) => embedding(Number(key));

/** Computes when it is let, and remembers what it was asked for. */
class Model {
  readonly asked: string[][] = [];
  readonly #gate = Promise.withResolvers<void>();

  constructor(private readonly held = false) {}

  readonly compute: Compute = async (keys, signal) => {
    this.asked.push([...keys]);
    if (this.held) await this.#gate.promise;
    signal.throwIfAborted();
    return keys.map(valueOf);
  };

  open(): void {
    this.#gate.resolve();
  }
}

const call = (signal = new AbortController().signal, use: CacheUse = 'normal') => ({
  context: { id: 'call', signal },
  use,
});

describe('the embedding cache', () => {
  it('refuses a setting beside `config`, where it would be ignored', () => {
    const options: object = { maxEntries: 5 };
    expect(() => new EmbeddingCache(options)).toThrow('EmbeddingCache has no option "maxEntries"');
  });

  it('computes each different key once, in one go, and restores the order', async () => {
    const cache = new EmbeddingCache();
    const model = new Model();
    await cache.resolve(['2'], model.compute, call());
    const { entries, results } = await cache.resolve(['1', '2', '1', '3'], model.compute, call());
    expect(entries).toEqual(['1', '2', '1', '3'].map(valueOf));
    expect(model.asked).toEqual([['2'], ['1', '3']]);
    expect([...results].sort()).toEqual([
      ['1', 'miss'],
      ['2', 'memory'],
      ['3', 'miss'],
    ]);
  });

  it('counts different keys, not repetitions', async () => {
    const metrics = new Metrics();
    const cache = new EmbeddingCache({ metrics });
    const model = new Model();
    await cache.resolve(['1', '1', '1'], model.compute, call());
    await cache.resolve(['1', '1', '2'], model.compute, call());
    expect(cache.getStatus()).toMatchObject({ hits: 1, misses: 2, hitRate: 1 / 3, entries: 2 });
    const text = await metrics.render();
    expect(text).toContain('morgan_cache_requests_total{result="memory"} 1');
    expect(text).toContain('morgan_cache_requests_total{result="miss"} 2');
    expect(text).toContain('morgan_cache_requests_total{result="error"} 0');
  });

  it('counts what had to go for want of room', async () => {
    const metrics = new Metrics();
    const cache = new EmbeddingCache({ metrics, config: { maxEntries: 2 } });
    await cache.resolve(['1', '2', '3'], new Model().compute, call());
    expect(cache.getStatus()).toMatchObject({ entries: 2, evictions: 1 });
    expect(await metrics.render()).toContain('morgan_cache_evictions_total 1');
  });

  it('computes for a thousand calls at once what they all want, once', async () => {
    const cache = new EmbeddingCache();
    const model = new Model(true);
    const calls = Array.from({ length: 1_000 }, () => cache.resolve(['7'], model.compute, call()));
    model.open();
    for (const { entries } of await Promise.all(calls)) expect(entries).toEqual([valueOf('7')]);
    expect(model.asked).toEqual([['7']]);
    expect(cache.getStatus()).toMatchObject({ misses: 1, coalesced: 999 });
  });

  it('leaves nothing with a signal that many calls share', async () => {
    const cache = new EmbeddingCache();
    const model = new Model(true);
    const { signal } = new AbortController();
    const calls = Array.from({ length: 100 }, () => cache.resolve(['7'], model.compute, call(signal)));
    model.open();
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('lets two calls wait for a vector of each other', async () => {
    const cache = new EmbeddingCache();
    const one = new Model(true);
    const other = new Model(true);
    const first = cache.resolve(['1', '2'], one.compute, call());
    const second = cache.resolve(['3', '1'], other.compute, call());
    const third = cache.resolve(['3', '2'], one.compute, call());
    other.open();
    one.open();
    expect((await first).entries).toEqual(['1', '2'].map(valueOf));
    expect((await second).entries).toEqual(['3', '1'].map(valueOf));
    expect((await third).entries).toEqual(['3', '2'].map(valueOf));
    expect([...one.asked, ...other.asked]).toEqual([['1', '2'], ['3']]);
  });

  it('lets one of those who wait take over from a call whose caller left', async () => {
    const cache = new EmbeddingCache();
    const caller = new AbortController();
    const leaving = cache.resolve(
      ['1'],
      () =>
        new Promise((_, reject) => {
          caller.signal.addEventListener('abort', () => reject(caller.signal.reason as Error));
        }),
      call(caller.signal),
    );
    const model = new Model();
    const staying = Array.from({ length: 50 }, () => cache.resolve(['1'], model.compute, call()));
    caller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    for (const { entries } of await Promise.all(staying)) expect(entries).toEqual([valueOf('1')]);
    expect(model.asked).toEqual([['1']]);
  });

  it('goes on for those who wait when the caller who began has left', async () => {
    const cache = new EmbeddingCache();
    const caller = new AbortController();
    const model = new Model(true);
    const leaving = cache.resolve(['1', '2'], model.compute, call(caller.signal));
    const staying = Array.from({ length: 50 }, () => cache.resolve(['1'], model.compute, call()));
    caller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    model.open();
    for (const { entries } of await Promise.all(staying)) expect(entries).toEqual([valueOf('1')]);
    expect(model.asked).toEqual([['1', '2']]);
    expect(cache.held(['2'])?.entries).toEqual([valueOf('2')]);
  });

  it('ends the work once the last of those who wait has left', async () => {
    const cache = new EmbeddingCache();
    const [owner, waiting] = [new AbortController(), new AbortController()];
    let work: AbortSignal | undefined;
    const compute: Compute = (_, signal) => {
      work = signal;
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    };
    const calls = [owner, waiting].map(({ signal }) => cache.resolve(['1'], compute, call(signal)));
    owner.abort(new Error('left'));
    await expect(calls[0]).rejects.toThrow('left');
    expect(work?.aborted).toBe(false);
    waiting.abort(new Error('left too'));
    await expect(calls[1]).rejects.toThrow('left too');
    expect(work?.aborted).toBe(true);
  });

  it('lets a waiting caller leave, and computes for the others', async () => {
    const cache = new EmbeddingCache();
    const model = new Model(true);
    const owner = cache.resolve(['1'], model.compute, call());
    const caller = new AbortController();
    const waiting = cache.resolve(['1'], model.compute, call(caller.signal));
    caller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    model.open();
    expect((await owner).entries).toEqual([valueOf('1')]);
  });

  it('gives the error of a key to all who want it, stores the others, and remembers no error', async () => {
    const cache = new EmbeddingCache();
    const gate = Promise.withResolvers<void>();
    const faulty: Compute = async (keys) => {
      await gate.promise;
      return keys.map((key) => (key === '2' ? new Error('not 2') : valueOf(key)));
    };
    const one = cache.resolve(['1', '2'], faulty, call());
    const other = cache.resolve(['2'], faulty, call());
    const unharmed = cache.resolve(['1'], faulty, call());
    gate.resolve();
    await expect(one).rejects.toThrow('not 2');
    await expect(other).rejects.toThrow('not 2');
    expect((await unharmed).entries).toEqual([valueOf('1')]);
    const model = new Model();
    await cache.resolve(['1', '2'], model.compute, call());
    expect(model.asked).toEqual([['2']]);
  });

  it('lets those who wait compute for themselves when a call fails as a whole, once each', async () => {
    const cache = new EmbeddingCache();
    let asked = 0;
    const full: Compute = () => Promise.reject(new Error(`full ${(asked += 1)}`));
    const calls = Array.from({ length: 5 }, () => cache.resolve(['1'], full, call()));
    const messages = (await Promise.allSettled(calls)).map(
      (end) => end.status === 'rejected' && (end.reason as Error).message,
    );
    expect(messages.sort()).toEqual(['full 1', 'full 2', 'full 3', 'full 4', 'full 5']);
    const harmless = new Model();
    const failing = cache.resolve(['2'], full, call());
    const other = cache.resolve(['2'], harmless.compute, call());
    await expect(failing).rejects.toThrow('full');
    expect((await other).entries).toEqual([valueOf('2')]);
  });

  it.each([
    ['no-cache', 'and keeps that', ['memory']],
    ['no-store', 'and keeps nothing', ['miss']],
  ] as const)('with %s computes anew, whatever there is, %s', async (use, _, after) => {
    const cache = new EmbeddingCache();
    const model = new Model();
    const resolve = async (how: CacheUse) => {
      const { results } = await cache.resolve(['1'], model.compute, call(undefined, how));
      return [...results.values()];
    };
    expect(await resolve(use)).toEqual(['bypass']);
    expect(await resolve('normal')).toEqual(after);
    const asked = model.asked.length;
    expect(await resolve(use)).toEqual(['bypass']);
    expect(model.asked).toHaveLength(asked + 1);
  });

  it('has at once what it holds of all keys, counts that, and has nothing otherwise', async () => {
    const cache = new EmbeddingCache();
    const model = new Model();
    await cache.resolve(['1', '2'], model.compute, call());
    expect(cache.held(['1', '3'])).toBeUndefined();
    expect(cache.getStatus()).toMatchObject({ hits: 0 });
    const held = cache.held(['2', '1', '2']);
    expect(held?.entries).toEqual(['2', '1', '2'].map(valueOf));
    expect([...(held?.results ?? [])]).toEqual([
      ['2', 'memory'],
      ['1', 'memory'],
    ]);
    expect(cache.getStatus()).toMatchObject({ hits: 2, misses: 2 });
  });

  it('is empty after a purge', async () => {
    const cache = new EmbeddingCache();
    const model = new Model();
    await cache.resolve(['1'], model.compute, call());
    expect(await cache.purge()).toBe(0);
    await cache.resolve(['1'], model.compute, call());
    expect(model.asked).toHaveLength(2);
  });

  it('keeps nothing of what was under way at a purge, and gives it to nobody who comes later', async () => {
    const cache = new EmbeddingCache();
    const [before, after] = [new Model(true), new Model(true)];
    const first = cache.resolve(['1'], before.compute, call());
    const waiting = cache.resolve(['1'], before.compute, call());
    await cache.purge();
    const second = cache.resolve(['1'], after.compute, call());
    before.open();
    for (const { entries } of await Promise.all([first, waiting])) expect(entries).toEqual([valueOf('1')]);
    // Its flight is still under way, though another one of the key has landed.
    const third = cache.resolve(['1'], after.compute, call());
    after.open();
    expect([...(await second).results.values(), ...(await third).results.values()]).toEqual([
      'miss',
      'coalesced',
    ]);
    expect([before.asked, after.asked]).toEqual([[['1']], [['1']]]);
  });
});
