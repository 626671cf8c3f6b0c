import { expect, it } from '@jest/globals';
import { ModelListJson } from './model-list-json.ts';

it('writes a list down once for each dialect, for as long as it is the same', () => {
  let writings = 0;
  const model = { id: 'one', created: 1, toJSON: () => ({ id: 'one', writing: (writings += 1) }) };
  const [llm, embedding] = [[model], [{ id: 'two' }]];
  const told = new ModelListJson();
  const read = (...asked: Parameters<ModelListJson['in']>) =>
    JSON.parse(told.in(...asked).toString()) as unknown;
  const list = () => read('openai', [llm, embedding]);
  expect(list()).toEqual({ object: 'list', data: [{ id: 'one', writing: 1 }, { id: 'two' }] });
  expect(list()).toEqual(list());
  expect(writings).toBe(1);
  expect(read('anthropic', [llm, embedding])).toMatchObject({
    first_id: 'one',
    last_id: 'two',
    has_more: false,
  });
  expect(read('openai', [[...llm], embedding])).toMatchObject({
    data: [{ writing: writings }, { id: 'two' }],
  });
  expect(read('openai', [llm])).toMatchObject({ data: [{ id: 'one' }] });
});

it('tells of a model once that is listed for both kinds of calls', () => {
  const lists = [[{ id: 'a', owned_by: 'llm' }], [{ id: 'b' }, { id: 'a', owned_by: 'embedding' }]];
  expect(JSON.parse(new ModelListJson().in('openai', lists).toString())).toEqual({
    object: 'list',
    data: [{ id: 'a', owned_by: 'llm' }, { id: 'b' }],
  });
  expect(JSON.parse(new ModelListJson().in('anthropic', lists).toString())).toMatchObject({
    data: [{ id: 'a' }, { id: 'b' }],
  });
});
