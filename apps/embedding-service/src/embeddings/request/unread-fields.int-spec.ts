import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { type Served, serve } from '../../../fixture/served.ts';

const FIXTURES = join(import.meta.dirname, '../../../../../libs/infrastructure/local-embeddings/fixture');

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
  max_tokens_per_text: 8,
  pooling_type: 'CLS',
  lora_path: 'an adapter',
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
    ['/tokenize', { inputs: 'a' }, 422, ['prompt_name', 'add_special_tokens']],
    [
      '/admin/cache/warm',
      { input: 'a' },
      400,
      ['input_type', 'task', 'task_type', 'prompt_name', 'prompt', 'truncate'],
    ],
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
    ['/v1/embeddings', { input: 'a' }, 'normalize_embeddings', false],
    ['/v1/embeddings', { input: 'a' }, 'precision', 'binary'],
    ['/v1/embeddings', { input: 'a' }, 'output_value', 'token_embeddings'],
    ['/v1/embeddings', { input: 'a' }, 'adapter_id', 'an adapter'],
    ['/v1/embeddings', { input: 'a' }, 'pooling', 'cls'],
  ])('is not served at %s with %j: %s', async (path, body, field, value) => {
    expect(await statusAndText(path, { ...body, [field]: value })).toEqual([
      400,
      expect.stringContaining(`'${field}' is not served`),
    ]);
  });

  it.each([
    ['/embed', 'is not read here', { parameters: { truncate: true } }],
    [
      '/similarity',
      'prompt_name',
      { inputs: { source_sentence: 'a', sentences: ['b'], prompt_name: 'query' } },
    ],
    [
      '/similarity',
      'truncat',
      { inputs: { source_sentence: 'a', sentences: ['b'] }, parameters: { truncat: false } },
    ],
  ])('is no more read at %s one level below: %s', async (path, named, body) => {
    expect(await statusAndText(path, { inputs: 'a', ...body })).toEqual([
      422,
      expect.stringContaining(named),
    ]);
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

describe('a field that nobody knows', () => {
  const ask = (path: string, body: object) => postJson(`${served.url}${path}`, body);

  it.each([
    ['/v1/embeddings', { input: 'a' }],
    ['/embed', { inputs: 'a' }],
    ['/v2/embed', { model: 'default', texts: ['a'] }],
    ['/api/embed', { model: 'default', input: 'a' }],
    ['/tokenize', { inputs: 'a' }],
    ['/v1/similarity', { pairs: [['a', 'b']] }],
    ['/v2/rerank', { query: 'a', documents: ['b'] }],
  ])('is named in the answer of %s', async (path, body) => {
    const plain = await ask(path, body);
    expect([plain.status, plain.headers.get('x-morgan-ignored')]).toEqual([200, null]);
    const more = { chunking_strategy: 'late', is_query: true, 'any words at all': 1, nothing: null };
    const response = await ask(path, { ...body, ...more });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-morgan-ignored')).toBe('chunking_strategy, is_query, and 1 more');
  });

  it('is named behind a header of ours that changes nothing', async () => {
    const headers = { 'x-morgan-stall-ms': '1000', 'x-morgan-hops': '1', 'x-morgan-via': 'a' };
    const response = await postJson(`${served.url}/v1/embeddings`, { input: 'a', is_query: true }, headers);
    expect(response.headers.get('x-morgan-ignored')).toBe('x-morgan-stall-ms, is_query');
  });

  it.each([
    ['inputType', 'input_type'],
    ['input_typ', 'input_type'],
    ['dimenions', 'dimensions'],
    ['outputDimension', 'output_dimension'],
    ['normalise', 'normalize'],
    ['encodingFormat', 'encoding_format'],
  ])('is refused where it is another spelling of one that is known: %s', async (field, meant) => {
    const response = await ask('/v1/embeddings', { input: 'a', [field]: 'x' });
    const error = { param: field, message: `'${field}' is unknown; '${meant}' is known here.` };
    expect([response.status, await response.json()]).toMatchObject([400, { error }]);
  });
});

describe('the code of a refusal', () => {
  it.each([
    ['/v1/embeddings', { input: 'a', max_tokens: 8 }, 'max_tokens', 'unsupported_parameter'],
    ['/v1/embeddings', { input: 'a', max_tokens: null, dimensions: 'x' }, 'dimensions', 'invalid_type'],
    ['/v1/similarity', { pairs: [['a', 'b']], dimensions: 4 }, 'dimensions', 'unsupported_parameter'],
    [
      '/v1/similarity',
      { pairs: [['a', 'b']], output_dtype: 'int8' },
      'output_dtype',
      'unsupported_parameter',
    ],
  ])('of %s tells what is not served from what is wrong: %j', async (path, body, param, code) => {
    const response = await postJson(`${served.url}${path}`, body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param, code } }]);
  });
});
