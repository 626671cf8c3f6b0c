import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type CallContext, Deadline } from '@morgan/foundation';
import { StubModel } from '../../fixture/stub-model.ts';
import type { EmbeddingInput, EmbedOptions } from './embedding-model.ts';
import { EmbeddingService } from './embedding.service.ts';

const context = (deadline?: Deadline) => ({ id: 'test', signal: new AbortController().signal, deadline });

let model: StubModel;
let service: EmbeddingService;

beforeEach(async () => {
  model = new StubModel();
  service = new EmbeddingService({ model });
  await service.start();
});

describe('what a program in JavaScript gets wrong', () => {
  it.each([5, ['a', 5], null])('%j is refused as a text', async (text) => {
    const embedding = service.embed(text as unknown as string);
    await expect(embedding).rejects.toMatchObject({ code: 'invalid_value', param: 'input' });
  });

  it('is refused as a metric and as an option', async () => {
    await expect(service.computeSimilarity('a', 'b', 'jaccard' as 'dot')).rejects.toThrow(
      /cosine, dot, euclidean, manhattan/,
    );
    const options: object = { modl: model };
    expect(() => new EmbeddingService(options)).toThrow('EmbeddingService has no option "modl"');
  });
});

describe('a call whose vectors are cached', () => {
  beforeEach(async () => {
    await service.collect({ inputs: ['a', 'b'] }, context());
  });

  it('asks the model for nothing that takes time', async () => {
    const getInfo = jest.spyOn(model, 'getInfo');
    const outcome = await service.collect({ inputs: ['b', 'a', 'b'] }, context());
    expect(outcome).toMatchObject({ cached: [true, true, true], results: ['memory', 'memory'], tokens: 3 });
    expect([getInfo.mock.calls.length, model.calls.length]).toEqual([0, 1]);
  });

  it('is refused like any other where it is too late, or its caller has gone', async () => {
    const late = service.collect({ inputs: ['a'] }, context(Deadline.after(0)));
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const gone = { ...context(), signal: AbortSignal.abort() };
    await expect(service.collect({ inputs: ['a'] }, gone)).rejects.toMatchObject({
      code: 'client_closed_request',
    });
    expect(service.getMetrics()).toMatchObject({ requests: 3, errors: 2 });
  });
});

describe('a vector that is given out', () => {
  it("is its owner's: what is cached stays as it was", async () => {
    const { vector } = await service.embed('a');
    vector.fill(7);
    expect((await service.embed('a')).vector).toEqual(Float32Array.of(1, 0));
    expect((await service.embed(['a']))[0]?.vector).toEqual(Float32Array.of(1, 0));
  });
});

/** Comes to the inputs one by one, until one of them is bad. */
class FaultyModel extends StubModel {
  override async embed(inputs: readonly EmbeddingInput[], _?: CallContext, options?: EmbedOptions) {
    const bad = inputs.indexOf('bad');
    const items = await super.embed(inputs);
    if (bad < 0) return items;
    items.slice(0, bad).forEach((item, index) => options?.onItem?.(index, item));
    throw new AppError('vector_not_finite', 'No number.', { param: `input[${options?.positions[bad]}]` });
  }
}

describe('a call that fails on one of its inputs', () => {
  it('leaves to whoever asks next what had come until then', async () => {
    const faulty = new FaultyModel();
    const its = new EmbeddingService({ model: faulty });
    const failing = its.collect({ inputs: ['a', 'bad', 'b'] }, context());
    await expect(failing).rejects.toMatchObject({ code: 'vector_not_finite', param: 'input[1]' });
    expect(await its.collect({ inputs: ['a', 'b'] }, context())).toMatchObject({ cached: [true, false] });
    expect(faulty.calls).toEqual([['a', 'bad', 'b'], ['b']]);
  });
});

it('an input that no model can take is tried once for all who ask for it at the time, and each hears of its own place', async () => {
  const faulty = new FaultyModel();
  const shared = new EmbeddingService({ model: faulty });
  await shared.start();
  const lists = [['a', 'bad'], ['bad', 'b', 'c'], ['bad'], ['d', 'd', 'bad']];
  const calls = await Promise.allSettled(lists.map((inputs) => shared.collect({ inputs }, context())));
  expect(calls.map((call) => call.status === 'rejected' && (call.reason as unknown))).toMatchObject(
    ['input[1]', 'input[0]', 'input[0]', 'input[2]'].map((param) => ({ code: 'vector_not_finite', param })),
  );
  expect(faulty.calls).toEqual([['a', 'bad'], ['b', 'c'], ['d']]);
  await expect(shared.collect({ inputs: ['bad'] }, context())).rejects.toMatchObject({ param: 'input[0]' });
  expect(faulty.calls).toHaveLength(4);
});
