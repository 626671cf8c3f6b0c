import assert from 'node:assert/strict';
import { LocalEmbeddingModel } from '@morgan/local-embeddings';
import { EmbeddingService } from './src/embeddings/embedding.service.ts';

const root = '../../libs/infrastructure/local-embeddings/fixture/reference-models';
const folder = new URL(`${root}/bert-mean`, import.meta.url).pathname;
const model = new LocalEmbeddingModel({ config: { model: folder, workers: 1 } });

const service = new EmbeddingService({ model }); // without a model it is the bundled one
await service.start();
assert.equal(service.healthCheck().status, 'healthy');

const result = await service.embed('hello world');
assert.deepEqual([result.dimension, result.cached], [8, false]);
assert.equal((await service.embed('hello world')).cached, true);

const results = await service.embed(['text one', 'text two', 'hello world']);
assert.deepEqual(
  results.map(({ cached }) => cached),
  [false, false, true],
);

const similarity = await service.computeSimilarity('cat', 'kitten'); // or 'dot', 'euclidean', 'manhattan'
assert(similarity > -1 && similarity <= 1);

const { requests, errors, cache } = service.getMetrics();
assert.deepEqual([requests, errors, cache.hits, cache.misses], [4, 0, 2, 5]);
assert.equal(cache.hitRate, 2 / 7);

await service.stop();
assert.equal(service.healthCheck().status, 'unhealthy');
