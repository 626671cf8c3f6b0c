import { describe, expect, it } from '@jest/globals';
import { StubModel } from '../../fixture/stub-model.ts';
import { EmbeddingService } from './embedding.service.ts';

/** A model whose vectors have four values, and may be cut as its files say. */
class CutModel extends StubModel {
  override readonly dimensions: number = 4;

  constructor(readonly declared: readonly number[] | undefined) {
    super();
  }

  override getInfo = () => ({ dimensions: 4, cutDimensions: this.declared });
}

const context = { id: 'test', signal: new AbortController().signal };

describe('the length of vectors', () => {
  const ask = async (declared: number[] | undefined, cutDimensions: number[] | undefined, wanted: number) => {
    const service = new EmbeddingService({ model: new CutModel(declared), cutDimensions });
    const dimensions = { wanted, field: 'dimensions' };
    return (await service.collect({ inputs: ['a'], dimensions }, context)).dimensions;
  };

  it('may be any where the model declares none, and only a declared one where it does', async () => {
    expect(await ask(undefined, undefined, 3)).toBe(3);
    expect(await ask([2, 1], undefined, 2)).toBe(2);
    expect(await ask([2, 1], undefined, 4)).toBe(4);
    await expect(ask([2, 1], undefined, 3)).rejects.toMatchObject({
      code: 'invalid_value',
      param: 'dimensions',
      message: expect.stringContaining('cut to 2, 1') as unknown,
    });
  });

  it('is for the configuration to say, where that says any', async () => {
    expect(await ask([2, 1], [3], 3)).toBe(3);
    await expect(ask([2, 1], [3], 2)).rejects.toMatchObject({ code: 'invalid_value' });
    await expect(ask([2, 1], [], 2)).rejects.toMatchObject({ code: 'invalid_value' });
  });
});
