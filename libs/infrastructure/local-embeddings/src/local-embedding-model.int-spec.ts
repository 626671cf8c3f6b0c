import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AppError, loadConfig, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { ModelProcess } from './processes/model-process.ts';
import { localEmbeddingsConfig, type LocalEmbeddingsConfig } from './local-embeddings.config.ts';
import { cosineSimilarity } from './vectors.ts';

const BUNDLED = join(import.meta.dirname, '../../../../dist/models/universal-sentence-encoder-lite');
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = (signal = new AbortController().signal) => ({ id: 'test', signal });

function build(overrides: Partial<LocalEmbeddingsConfig> = {}) {
  const metrics = new Metrics();
  const config = { ...DEFAULTS, ...overrides };
  const model = new LocalEmbeddingModel({ config, bundledModelDir: BUNDLED, logger: silentLogger, metrics });
  const figure = async (name: string, label = '') => {
    const lines = (await metrics.render()).split('\n');
    const line = lines.find((text) => text.startsWith(`${name}{`) && text.includes(label));
    return Number(line?.split(' ')[1] ?? 0);
  };
  return { model, figure };
}

describe('the bundled model', () => {
  const { model, figure } = build({ workers: 1 });
  beforeAll(() => model.load());
  afterAll(() => model.unload());

  const embed = async (...texts: string[]) =>
    (await model.embed(texts, context())).map(({ vector }) => vector);

  it('gives the known similarities', async () => {
    const [cat, kitten, car] = (await embed('cat', 'kitten', 'car')) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expect(cosineSimilarity(cat, kitten)).toBeCloseTo(0.7582, 4);
    expect(cosineSimilarity(cat, car)).toBeCloseTo(0.4833, 4);
  });

  it('knows what it is', () => {
    expect(model.getInfo()).toMatchObject({
      id: 'universal-sentence-encoder-lite',
      dimensions: 512,
      maxTokens: 128,
      vocabularySize: 8002,
      pooling: 'model',
      loaded: true,
    });
    expect(model.read().up).toBe(true);
  });

  it('gives a text the same vector alone and in a batch of unlike texts, in the order of the inputs', async () => {
    const texts = ['short', 'a sentence of some more words', 'word '.repeat(100), '😀', 'Ωμέγα und Straße'];
    const together = await embed(...texts);
    for (const [index, text] of texts.entries()) {
      const [alone] = await embed(text);
      const worst = Math.max(
        ...(alone as Float32Array).map((value, i) => Math.abs(value - (together[index]?.[i] ?? 9))),
      );
      expect(worst).toBeLessThan(1e-5);
    }
  });

  it('counts tokens, cuts what is too long and says so', async () => {
    const [short, long] = await model.embed(['hello world', 'word '.repeat(300)], context());
    expect(short).toMatchObject({ tokenCount: 3, truncated: false });
    expect(long).toMatchObject({ tokenCount: 128, truncated: true });
    const [cut] = await model.embed(['word '.repeat(128)], context());
    expect(cosineSimilarity(long?.vector as Float32Array, cut?.vector as Float32Array)).toBeGreaterThan(
      0.999999,
    );
  });

  it('refuses what is too long when it may not cut, naming field, limit and count', async () => {
    const refused = model.embed(['fine', 'word '.repeat(300)], context(), { truncate: false });
    await expect(refused).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'input[1]',
      status: 400,
    });
    await expect(refused).rejects.toThrow(/has more than 128 tokens.*at most 128/);
  });

  it('takes token ids as well as text', async () => {
    const [fromText] = await embed('hello world');
    const [fromIds] = await model.embed([[2002, 102, 311]], context());
    expect(cosineSimilarity(fromText as Float32Array, fromIds?.vector as Float32Array)).toBeCloseTo(1, 6);
    await expect(model.embed([[1], [8002]], context())).rejects.toMatchObject({
      code: 'invalid_token_id',
      param: 'input[1]',
    });
  });

  it('cuts token ids as it cuts text, and refuses too many where it may not', async () => {
    const ids = Array.from({ length: 130 }, (_, index) => 100 + index);
    const [whole, cut] = await model.embed([ids, ids.slice(0, 128)], context());
    expect(whole).toMatchObject({ tokenCount: 128, truncated: true });
    expect(cut).toMatchObject({ tokenCount: 128, truncated: false });
    expect(cosineSimilarity(whole?.vector as Float32Array, cut?.vector as Float32Array)).toBeCloseTo(1, 6);
    const refused = model.embed([[102], ids], context(), { truncate: false });
    await expect(refused).rejects.toMatchObject({ code: 'context_length_exceeded', param: 'input[1]' });
    await expect(refused).rejects.toThrow('has 130 tokens; the model takes at most 128');
  });

  it('has nothing for nothing, and begins nothing for a caller who has left', async () => {
    expect([await model.embed([]), await model.embedTokens([]), await model.score('a', [])]).toEqual([
      [],
      [],
      [],
    ]);
    const gone = context(AbortSignal.abort());
    await expect(model.embed(['hello'], gone)).rejects.toMatchObject({ code: 'client_closed_request' });
  });

  it.each([
    ['a text that is not in a list', 'hello', 'input'],
    ['a number', ['hello', 5], 'input[1]'],
    ['nothing', [null], 'input[0]'],
  ])('refuses %s by name', async (_, inputs, param) => {
    const embedding = model.embed(inputs as unknown as string[], context());
    await expect(embedding).rejects.toMatchObject({ code: 'invalid_value', param });
  });

  it('puts concurrent single texts into common batches', async () => {
    const before = await figure('morgan_embedding_batches_total');
    await Promise.all(Array.from({ length: 64 }, (_, index) => embed(`text number ${index}`)));
    const batches = (await figure('morgan_embedding_batches_total')) - before;
    // The first ones leave at once; what comes while they are computed needs batches of at most 32.
    expect(batches).toBeLessThan(16);
  });

  it('keeps tokenising and inference off the event loop', async () => {
    let turns = 0;
    const counter = setInterval(() => (turns += 1), 1);
    const startedAt = performance.now();
    await embed(...Array.from({ length: 96 }, (_, index) => `${'some words '.repeat(40)}${index}`));
    const elapsedMs = performance.now() - startedAt;
    clearInterval(counter);
    // On the event loop, the three batches would leave about three turns.
    expect(elapsedMs).toBeGreaterThan(50);
    expect(turns).toBeGreaterThan(elapsedMs / 20);
  });

  it('serves a single text before the rest of a large call', async () => {
    const order: string[] = [];
    const large = embed(
      ...Array.from({ length: 128 }, (_, index) => `${'long words here '.repeat(20)}${index}`),
    );
    const single = embed('small');
    await Promise.all([large.then(() => order.push('large')), single.then(() => order.push('single'))]);
    expect(order).toEqual(['single', 'large']);
  });

  it.each([
    ['its caller goes away', undefined, 'client_closed_request'],
    ['its time is over', new AppError('deadline_exceeded', 'Late.'), 'deadline_exceeded'],
  ])('drops what waits when %s', async (_, reason, code) => {
    const gone = new AbortController();
    const before = await figure('morgan_embedding_texts_total');
    const texts = Array.from({ length: 640 }, (_, index) => `${'a long text '.repeat(30)}${index}`);
    const call = model.embed(texts, context(gone.signal));
    gone.abort(reason);
    await expect(call).rejects.toMatchObject({ code });
    expect(model.getStatus().queueLength).toBe(0);
    await embed('next');
    expect((await figure('morgan_embedding_texts_total')) - before).toBeLessThanOrEqual(33);
  });
});

describe('a queue with a limit', () => {
  const { model, figure } = build({ queueTokens: 256, workers: 1 });
  beforeAll(() => model.load());
  afterAll(() => model.unload());
  const textsOf = (count: number, what: string) =>
    Array.from({ length: count }, (_, index) => `${'some long words '.repeat(10)}${what} ${index}`);

  it('admits a call of any size where there is room, and refuses one and many alike where there is none', async () => {
    // Each counts with an eighth of the limit, however large it is.
    const calls = Array.from({ length: 7 }, (_, index) =>
      model.embed(textsOf(32, `call ${index}`), context()),
    );
    for (const count of [1, 2_048]) {
      const refused = model.embed(textsOf(count, 'too much'), context());
      await expect(refused).rejects.toMatchObject({ code: 'queue_full', status: 429 });
      await expect(refused).rejects.toThrow('224 tokens of large calls wait');
    }
    expect((await Promise.all(calls)).map((items) => items.length)).toEqual(new Array(7).fill(32));
    expect(await figure('morgan_embedding_queue_tokens')).toBe(0);
    expect(await model.embed(['there is room again'], context())).toHaveLength(1);
  });

  it('answers a query beside as many large calls as there is room for, and before them', async () => {
    const { model: roomy } = build({ queueTokens: 2_560, workers: 1, batchSize: 8 });
    await roomy.load();
    let done = 0;
    const calls = Array.from({ length: 7 }, async (_, index) => {
      await roomy.embed(textsOf(32, `large ${index}`), context());
      done += 1;
    });
    await expect(roomy.embed(textsOf(32, 'one too many'), context())).rejects.toThrow('of large calls');
    expect(await roomy.embed(['a query'], context())).toHaveLength(1);
    expect(done).toBe(0);
    await Promise.all(calls);
    await roomy.unload();
  });

  it('refuses nobody for the sake of callers who are on their way out', async () => {
    const gone = new AbortController();
    const calls = Array.from({ length: 8 }, (_, index) =>
      model.embed(textsOf(32, `left ${index}`), context(gone.signal)),
    );
    const ends = Promise.allSettled(calls);
    const next = model.embed(['right behind them'], context());
    gone.abort();
    expect(await next).toHaveLength(1);
    expect((await ends).map(({ status }) => status)).toEqual(new Array(8).fill('rejected'));
  });

  it('refuses who comes to a full queue as all others when the model is unloaded in that turn', async () => {
    const { model: other } = build({ queueTokens: 256, workers: 1 });
    await other.load();
    const calls = Array.from({ length: 9 }, (_, index) =>
      other.embed(textsOf(32, `unloaded ${index}`), context()),
    );
    const ends = Promise.allSettled(calls);
    await other.unload();
    expect(await ends).toMatchObject(new Array(9).fill({ reason: { code: 'model_loading' } }));
  });
});

describe('an unload while the model is being loaded', () => {
  it.each([0, 1, 2, 5, 20])('ends the load, however early it comes (turn %i)', async (turns) => {
    const { model } = build({ workers: 1 });
    const ended = model.load().then(
      () => 'loaded',
      () => 'given up',
    );
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    await model.unload();
    const end = await ended;
    const { up } = model.read();
    await model.unload();
    expect([end, up]).toEqual(['given up', false]);
  });
});

describe('a process that dies', () => {
  const { model, figure } = build({ workers: 1 });
  const { value: original } = Object.getOwnPropertyDescriptor(ModelProcess.prototype, 'run') as {
    value: ModelProcess['run'];
  };
  const run = jest.spyOn(ModelProcess.prototype, 'run');
  const crashes = () => figure('morgan_embedding_process_restarts_total', 'reason="crash"');
  /** Makes the token id a poison: the process that runs it is killed. */
  const poison = (id: number) =>
    run.mockImplementation(function (this: ModelProcess, type, task) {
      if ('rows' in task && task.rows.some((row) => 'ids' in row && row.ids.includes(id)))
        process.kill(this.pid as number, 'SIGKILL');
      return original.call(this, type, task);
    });

  beforeAll(() => model.load());
  afterEach(() => {
    run.mockImplementation(original);
  });
  afterAll(() => model.unload());

  it('is replaced, and the batch it had is tried again', async () => {
    run.mockImplementationOnce(function (this: ModelProcess, type, task) {
      process.kill(this.pid as number, 'SIGKILL');
      return original.call(this, type, task);
    });
    const items = await model.embed(['hello world', 'word '.repeat(100)], context());
    expect(items.map(({ tokenCount }) => tokenCount)).toEqual([3, expect.any(Number)]);
    expect(await crashes()).toBe(1);
    expect(model.read().up).toBe(true);
  });

  it('twice on the same input fails that input only, which is not tried again', async () => {
    const before = await crashes();
    poison(4_242);
    const others = model.embed(['one', 'two', 'three'], context());
    const bad = model.embed(
      [
        [1, 2],
        [7, 4_242],
      ],
      context(),
    );
    await expect(bad).rejects.toMatchObject({ code: 'inference_failed', status: 500, param: 'input[1]' });
    await expect(bad).rejects.toThrow(/ended by SIGKILL/);
    expect(await others).toHaveLength(3);
    expect((await crashes()) - before).toBeLessThanOrEqual(2);
    const again = model.embed([[7, 4_242]], context());
    await expect(again).rejects.toThrow(/has ended the model process before/);
    expect((await crashes()) - before).toBeLessThanOrEqual(2);
  });
});

describe('a model that is loaded again', () => {
  const children = (): readonly string[] =>
    readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').match(/\d+/g) ?? [];

  it('has its processes once, and leaves none behind', async () => {
    const { model } = build({ workers: 1 });
    const before = children();
    const own = () => children().filter((child) => !before.includes(child));
    await Promise.all([model.load(), model.load()]);
    await model.load();
    expect(own()).toHaveLength(2);
    await model.unload();
    expect(own()).toEqual([]);
    await model.load();
    expect(await model.embed(['hello'])).toHaveLength(1);
    await model[Symbol.asyncDispose]();
    expect(own()).toEqual([]);
  });

  it('tries anew after a load that failed', async () => {
    const { model } = build({ model: import.meta.dirname });
    const first = model.load();
    await expect(first).rejects.toThrow('cannot be loaded');
    const second = model.load();
    expect(second).not.toBe(first);
    await expect(second).rejects.toThrow('cannot be loaded');
  });
});

describe('a model that is not loaded', () => {
  it('knows what it is for where that is configured, and nothing of texts', async () => {
    const { model } = build({ backend: 'cross-encoder' });
    expect(await model.kind()).toBe('ranking');
    expect(() => model.significantPart('hello')).toThrow(expect.objectContaining({ code: 'model_loading' }));
  });
});

describe('a model that cannot be loaded', () => {
  it('is refused at once when the folder is not there', () => {
    expect(() => build({ model: './no/such/folder' })).toThrow(
      /folder that does not exist: \.\/no\/such\/folder/,
    );
    expect(() => build({ model: 'what is this' })).toThrow(/neither "bundled", nor a folder, nor a hub id/);
  });

  it('is refused where it is named beside `config`, where it would be ignored', () => {
    const options: object = { model: './a/folder' };
    expect(() => new LocalEmbeddingModel(options)).toThrow('LocalEmbeddingModel has no option "model"');
  });

  it('names id, hub, cache folder and reason when the hub cannot be reached', async () => {
    const { model } = build({
      model: 'nobody/nothing',
      hubUrl: 'http://127.0.0.1:9',
      cacheDir: '/tmp/morgan-none',
    });
    await expect(model.load()).rejects.toThrow(
      /nobody\/nothing.*127\.0\.0\.1:9.*morgan-none.*cannot be loaded: /,
    );
    await expect(model.embed(['x'], context())).rejects.toMatchObject({ code: 'model_loading', status: 503 });
  });
});
