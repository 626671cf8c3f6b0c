import { expect, it } from '@jest/globals';
import { identityOf } from './model-identity.ts';
import type { ModelInfo } from './model/embedding-model.types.ts';

const INFO: ModelInfo = {
  backend: 'onnx',
  device: 'cpu',
  dtype: 'fp32',
  dimensions: 8,
  maxTokens: 32,
  cutSide: 'right',
  limitMeasured: true,
  vocabularySize: 260,
  pooling: 'mean',
  output: 'last_hidden_state',
  modules: ['pooling'],
  prompts: {},
  tokenizer: 'native',
  digest: 'abc',
  weightsBytes: 1,
  shape: {},
  batchable: true,
  notes: [],
};
const use = { id: 'model', promptName: undefined };

it('keeps vectors apart whose tokens another tokenizer has made', () => {
  const native = identityOf(INFO, use);
  expect(identityOf({ ...INFO }, use)).toBe(native);
  expect(identityOf({ ...INFO, tokenizer: 'javascript' }, use)).not.toBe(native);
});
