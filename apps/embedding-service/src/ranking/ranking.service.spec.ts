import { expect, it } from '@jest/globals';
import { StubModel } from '../../fixture/stub-model.ts';
import { ServedModels } from '../models/served-models.ts';
import { RankingService } from './ranking.service.ts';

/** Scores as far from 0 as trained cross-encoders give them, and the tiny one of the other tests does not. */
class FarScores extends StubModel {
  override score = (_: string, texts: readonly string[]) =>
    Promise.resolve(texts.map((text) => ({ score: Number(text), tokenCount: 1, truncated: false })));
}

it('ranks by what the model gave, also where all of it is 1 or 0 between 0 and 1', async () => {
  const ranking = new RankingService(new ServedModels([new FarScores()]));
  const texts = ['-800', '40', '50', '-900', '45'];
  const context = { id: 'a call', signal: new AbortController().signal };
  const { ranked } = await ranking.rank({ query: 'a', texts, field: 'texts' }, context);
  expect(ranked.map(({ index, score }) => [texts[index], score])).toEqual([
    ['50', 1],
    ['45', 1],
    ['40', 1],
    ['-800', 0],
    ['-900', 0],
  ]);
});
