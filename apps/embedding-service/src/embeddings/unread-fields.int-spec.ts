import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Served, serve } from '../../fixture/served.ts';

const FIXTURES = join(import.meta.dirname, '../../../../libs/infrastructure/local-embeddings/fixture');

let served: Served;
beforeAll(async () => {
  served = await serve({
    EMBEDDING_MODEL: join(FIXTURES, 'reference-models/bert-prompts'),
    EMBEDDING_FURTHER_MODELS: `ranker=${join(FIXTURES, 'reference-rankers/bert')}`,
  });
});
afterAll(() => served.close());

async function statusAndText(path: string, body: object): Promise<[number, string]> {
  const response = await fetch(`${served.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return [response.status, await response.text()];
}

/** A value of each field by which the answer of the path that reads it would be another one. */
const FIELDS = {
  input_type: 'query',
  task: 'query',
  task_type: 'query',
  prompt_name: 'query',
  prompt: 'query: ',
  output_dtype: 'int8',
  embedding_types: ['int8'],
  embedding_type: 'int8',
  encoding_type: 'binary',
  encoding_format: 'base64',
  dimensions: 4,
  output_dimension: 4,
  normalize: false,
  normalized: false,
  truncate: false,
  truncation: false,
  truncation_side: 'right',
  truncate_prompt_tokens: 8,
  max_tokens: 8,
  add_special_tokens: false,
  instruction: 'Find it.',
  late_chunking: true,
};

describe('a field that another path reads', () => {
  it.each<[string, object, number, readonly (keyof typeof FIELDS)[]]>([
    [
      '/embed',
      { inputs: 'a' },
      422,
      ['prompt_name', 'dimensions', 'normalize', 'truncate', 'truncation_side'],
    ],
    ['/embed_all', { inputs: 'a' }, 422, ['prompt_name', 'truncate', 'truncation_side']],
    ['/similarity', { inputs: { source_sentence: 'a', sentences: ['b'] } }, 422, []],
    [
      '/v2/embed',
      { model: 'default', texts: ['a'] },
      400,
      ['input_type', 'output_dimension', 'embedding_types'],
    ],
    ['/v1/embed', { texts: ['a'] }, 400, ['input_type', 'output_dimension', 'embedding_types']],
    ['/api/embed', { model: 'default', input: 'a' }, 400, ['dimensions', 'truncate']],
    ['/api/embeddings', { model: 'default', prompt: 'a' }, 400, ['prompt']],
    [
      '/v1/similarity',
      { pairs: [['a', 'b']] },
      400,
      ['input_type', 'task', 'task_type', 'prompt_name', 'prompt', 'truncate', 'truncation_side'],
    ],
  ])('is refused by its name at %s', async (path, body, status, own) => {
    expect((await statusAndText(path, body))[0]).toBe(200);
    for (const [field, value] of Object.entries(FIELDS)) {
      if (own.includes(field as keyof typeof FIELDS)) continue;
      expect(await statusAndText(path, { ...body, [field]: value })).toEqual([
        status,
        expect.stringContaining(`'${field}'`),
      ]);
    }
  });

  it.each([
    ['/embed', { inputs: 'a' }],
    ['/v2/embed', { model: 'default', texts: ['a'] }],
    ['/api/embed', { model: 'default', input: 'a' }],
  ])('is no matter at %s where it says what is so anyway', async (path, body) => {
    const more = { encoding_format: 'float', late_chunking: false, embed_dtype: 'float32', task: null };
    const others = { user: 'a caller', truncate_prompt_tokens: -1, unknown: true };
    expect((await statusAndText(path, { ...body, ...more, ...others }))[0]).toBe(200);
  });

  it.each([
    [{ truncation: false }],
    [{ return_documents: true }],
    [{ use_activation: false }],
    [{ top_k: 1 }],
    [{ max_tokens_per_doc: 8 }],
    [{ max_length: 8 }],
    [{ instruction: 'Find it.' }],
  ])('is refused beside the texts of /rerank: %j', async (more) => {
    const body = { query: 'a cat', texts: ['a dog'] };
    const usual = { return_documents: false, use_activation: true, max_tokens_per_doc: 0 };
    expect((await statusAndText('/rerank', { ...body, ...usual }))[0]).toBe(200);
    expect(await statusAndText('/rerank', { ...body, ...more })).toEqual([
      422,
      expect.stringContaining(`'${Object.keys(more)[0]}'`),
    ]);
  });

  it.each([
    ['/v2/rerank', { rank_fields: ['title'] }, 400],
    ['/v1/rerank', { return_text: true }, 400],
    ['/rerank', { return_text: true }, 422],
  ])('is refused beside the documents of %s: %j', async (path, more, status) => {
    const body = { query: 'a cat', documents: ['a dog'] };
    expect(await statusAndText(path, { ...body, ...more })).toEqual([
      status,
      expect.stringContaining(`'${Object.keys(more)[0]}'`),
    ]);
  });
});
