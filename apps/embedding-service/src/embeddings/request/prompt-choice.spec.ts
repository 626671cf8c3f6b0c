import { describe, expect, it } from '@jest/globals';
import { type PromptFields, promptOf } from './prompt-choice.ts';

const E5 = { byName: { query: 'query: ', passage: 'passage: ', haiku: 'as a poem: ' }, byDefault: 'query' };
const NONE = { byName: {} };

describe('the prompt of a request', () => {
  it.each<[PromptFields, string | undefined]>([
    [{}, undefined],
    [{ input_type: null }, undefined],
    [{ prompt_name: 'passage' }, 'passage: '],
    [{ input_type: 'search_query' }, 'query: '],
    [{ input_type: 'search_document' }, 'passage: '],
    [{ input_type: 'document' }, 'passage: '],
    [{ input_type: 'haiku' }, 'as a poem: '],
    [{ task: 'retrieval.passage' }, 'passage: '],
    [{ task: 'text-matching' }, undefined],
    [{ input_type: 'classification' }, undefined],
    [{ prompt: 'anything: ' }, 'anything: '],
    [{ prompt: '' }, ''],
  ])('%j is %j', (fields, prompt) => {
    expect(promptOf(fields, E5)).toBe(prompt);
  });

  it.each<[PromptFields, string | undefined]>([
    [{ input_type: 'query' }, ''],
    [{ input_type: 'search_document' }, 'passage: '],
    [{ input_type: 'document' }, 'passage: '],
    [{ prompt_name: 'document' }, ''],
    [{ input_type: 'clustering' }, undefined],
  ])('of a model with empty prompts beside its default one: %j is %j', (fields, prompt) => {
    const byName = { query: '', document: '', passage: 'passage: ' };
    expect(promptOf(fields, { byName, byDefault: 'passage' })).toBe(prompt);
  });

  it('is the default one for every purpose where the model has no prompts', () => {
    expect(promptOf({ input_type: 'search_query' }, NONE)).toBeUndefined();
  });

  it.each(['prompt_name', 'input_type', 'task'])('is refused by a name that %s does not know', (field) => {
    const message = expect.stringContaining('query, passage, haiku');
    for (const name of ['sonnet', 'toString', '__proto__']) {
      expect(() => promptOf({ [field]: name }, E5)).toThrow(
        expect.objectContaining({ code: 'invalid_value', param: field, message }),
      );
    }
    expect(() => promptOf({ prompt_name: 'query' }, NONE)).toThrow(/prompts of the model: none/);
  });

  it('is refused where two fields want one', () => {
    expect(() => promptOf({ prompt: '', input_type: 'query' }, E5)).toThrow(/Only one of/);
  });
});
