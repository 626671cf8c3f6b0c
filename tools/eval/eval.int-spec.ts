import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { json } from 'node:stream/consumers';
import { LocalServer } from '@morgan/testing';
import { pearson, spearman } from './correlation.ts';
import { evaluate } from './evaluate.ts';
import { readScoredPairs } from './scored-pairs.ts';

describe('a file of scored pairs', () => {
  it('may have quoted fields, a first line of names, further columns and either kind of line end', () => {
    const text =
      '\ufeffsentence1,sentence2,score,split\r\na cat,"a ""small"" cat, or\ntwo",4.5,dev\r\nx,y,0,dev';
    expect(readScoredPairs(text)).toEqual([
      { sentences: ['a cat', 'a "small" cat, or\ntwo'], score: 4.5 },
      { sentences: ['x', 'y'], score: 0 },
    ]);
  });

  it.each([
    ['a,b,1\nc,d', 'record 2'],
    ['a,b,1\nc,d,much', 'record 2'],
    ['a,b,1\n"c,d,2', 'record 2 has a stray'],
  ])('is refused by the place of its fault: %j', (text, message) => {
    expect(() => readScoredPairs(text)).toThrow(message);
  });
});

describe('the correlations', () => {
  // As scipy.stats gives them.
  const [left, right] = [
    [1, 2, 2, 3, 7, 0.5],
    [2, 1, 4, 4, 9, 0],
  ];

  it('are those of scipy, ties included', () => {
    expect(pearson(left, right)).toBeCloseTo(0.94543986, 6);
    expect(spearman(left, right)).toBeCloseTo(0.86764706, 6);
  });

  it('of ranks do not see how far apart values are', () => {
    expect(spearman([1, 2, 3], [1, 10, 1000])).toBeCloseTo(1, 12);
    expect(pearson([1, 2, 3], [1, 10, 1000])).toBeLessThan(0.95);
  });
});

describe('an evaluation', () => {
  const calls: { readonly pairs: readonly (readonly string[])[]; readonly model: string }[] = [];
  let status = 200;
  const server = new LocalServer(async (request, response) => {
    const asked = (await json(request)) as (typeof calls)[number];
    calls.push(asked);
    const data = asked.pairs.map(([text]) => ({ similarity: text?.length ?? 0 }));
    response.writeHead(status).end(JSON.stringify({ model: 'm', data, error: { message: 'no such model' } }));
  });
  beforeAll(() => server.listen());
  afterAll(() => server.close());

  it('sends all pairs, some at a time, and compares what comes with the scores', async () => {
    const pairs = Array.from({ length: 300 }, (_, index) => ({
      sentences: ['x'.repeat(index + 1), 'y'] as const,
      score: index,
    }));
    const result = await evaluate(pairs, { url: server.origin, fields: { model: 'default' } });
    expect(result).toMatchObject({ model: 'm', pairs: 300 });
    expect([result.pearson, result.spearman]).toEqual([expect.closeTo(1, 9), expect.closeTo(1, 9)]);
    expect(calls.map(({ pairs: sent, model }) => [sent.length, model])).toEqual([
      [256, 'default'],
      [44, 'default'],
    ]);
  });

  it('ends with what the service says where it refuses', async () => {
    status = 404;
    const pairs = [{ sentences: ['a', 'b'] as const, score: 1 }];
    await expect(evaluate(pairs, { url: server.origin, fields: {} })).rejects.toThrow('no such model');
  });
});
