import assert from 'node:assert/strict';
import { cosineSimilarity, cutDimensions, LocalEmbeddingModel, toBase64 } from './src/index.ts';

const folder = new URL('./fixture/reference-models/bert-mean', import.meta.url).pathname;
const model = new LocalEmbeddingModel({ config: { model: folder, workers: 1 } });
await model.load(); // rejects with ModelLoadError: one sentence that says what to mend

const { dimensions, maxTokens, pooling, backend, device, dtype, tokenizer } = model.getInfo();
assert.deepEqual([dimensions, maxTokens, pooling, backend], [8, 32, 'mean', 'sentence-transformers']);
assert.deepEqual([device, dtype, tokenizer], ['cpu', 'fp32', 'native']);

const [cat, kitten, ids] = await model.embed(['a cat', 'a kitten', [2, 7, 3]], undefined, {
  truncate: false,
});
assert(cat && kitten && ids);
assert.equal(cat.vector.length, 8); // Float32Array, all dimensions, the caller's own
assert.equal(ids.tokenCount, 3); // what the model has read
assert.equal(cat.truncated, false); // or the text was cut to fit
const similarity = cosineSimilarity(cat.vector, kitten.vector);
assert(similarity > -1 && similarity < 1);
assert.equal(toBase64(cutDimensions(cat.vector, 4)).length, 24); // for `encoding_format` and `dimensions`
await model.unload(); // or `await using model = …`: its processes keep the program alive
