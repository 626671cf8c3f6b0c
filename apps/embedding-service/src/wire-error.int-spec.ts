import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { type Served, serve } from '../fixture/served.ts';

const MODEL = join(
  import.meta.dirname,
  '../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);

let served: Served;
beforeAll(async () => {
  served = await serve({ EMBEDDING_MODEL: MODEL });
});
afterAll(() => served.close());

describe('an error about one of several texts', () => {
  const long = 'word '.repeat(100);
  it.each<[string, object, string, string]>([
    ['/embed', { inputs: ['a', long], truncate: false }, 'error', 'inputs[1]'],
    ['/embed_all', { inputs: ['a', long], truncate: false }, 'error', 'inputs[1]'],
    [
      '/similarity',
      { inputs: { source_sentence: 'a', sentences: ['b', long] }, parameters: { truncate: false } },
      'error',
      'inputs.sentences[1]',
    ],
    [
      '/similarity',
      { inputs: { source_sentence: long, sentences: ['b'] }, parameters: { truncate: false } },
      'error',
      'inputs.source_sentence',
    ],
    ['/v2/embed', { model: 'default', texts: ['a', long], truncate: 'NONE' }, 'message', 'texts[1]'],
    ['/api/embed', { model: 'default', input: ['a', long], truncate: false }, 'error', 'input[1]'],
  ])('%s says which one it is: %#', async (path, body, field, place) => {
    const response = await postJson(`${served.url}${path}`, body);
    const answer = (await response.json()) as Record<string, string>;
    expect(answer[field]).toMatch(/^The input and its prompt have more than 32 tokens; /);
    expect(answer[field]).toContain(`(${place})`);
  });
});

it.each<[string, object, RegExp]>([
  [
    '/embed',
    { inputs: 'a', parameters: { normalize: false } },
    /'parameters.normalize'.* stands in the body itself/,
  ],
  ['/', { inputs: 'a', parameters: { truncate: false } }, /'parameters.truncate'/],
  ['/embed', { inputs: 'a', encoding_format: 'base64' }, /'encoding_format'.* \/v1\/embeddings/],
  ['/embed', { inputs: 'a', prompt: 'query: ' }, /'prompt'.* prompt_name/],
  ['/embed_all', { inputs: 'a', parameters: { prompt_name: 'query' } }, /'parameters.prompt_name'/],
  [
    '/tokenize',
    { inputs: 'a', parameters: { add_special_tokens: false } },
    /'parameters.add_special_tokens'/,
  ],
  ['/rerank', { query: 'a', texts: ['b'], parameters: { raw_scores: true } }, /'parameters.raw_scores'/],
  [
    '/similarity',
    { inputs: { source_sentence: 'a', sentences: ['b'] }, prompt_name: 'query' },
    /'prompt_name'.* stands in parameters/,
  ],
])('what %s would leave out in silence is refused by its name: %j', async (path, body, message) => {
  const response = await postJson(`${served.url}${path}`, body);
  expect([response.status, await response.json()]).toEqual([
    422,
    { error: expect.stringMatching(message), error_type: 'Validation' },
  ]);
});

it.each([
  ['/embed_sparse', '/embed_all'],
  ['/predict', '/v1/rerank'],
  ['/decode', 'Unknown request URL'],
  ['/vertex', 'Unknown request URL'],
  ['/invocations', 'Unknown request URL'],
])(
  'a path that text-embeddings-inference has, and this not, says so in its words: %s',
  async (path, hint) => {
    const response = await postJson(`${served.url}${path}`, '{}');
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: expect.stringContaining(hint), error_type: 'Validation' },
    ]);
  },
);
