import { describe, expect, it } from '@jest/globals';
import { ModelList } from './model-list.ts';

describe('how long a request may be by the list of its host', () => {
  it.each<[string, object, number | undefined]>([
    ['what it says', { max_model_len: 8192 }, 8192],
    ['the first field with a length', { max_model_len: -1, context_length: 0, context_window: 4096 }, 4096],
    ['unknown where it says -1', { max_model_len: -1 }, undefined],
    ['unknown where no number is that large', { max_model_len: Infinity }, undefined],
    ['unknown where it is a text', { max_model_len: '8192' }, undefined],
  ])('is %s', (_, fields, expected) => {
    const list = new ModelList();
    list.update({ models: [{ id: 'm', ...fields }], isWhole: true });
    expect(list.contextLengthOf('m')).toBe(expected);
  });
});
