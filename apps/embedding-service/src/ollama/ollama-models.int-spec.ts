import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Served, serve } from '../../fixture/served.ts';

const FIXTURES = join(import.meta.dirname, '../../../../libs/infrastructure/local-embeddings/fixture');

let served: Served;

beforeAll(async () => {
  served = await serve({
    EMBEDDING_MODEL: join(FIXTURES, 'reference-models/bert-mean'),
    EMBEDDING_FURTHER_MODELS: `ranker=${join(FIXTURES, 'reference-rankers/bert')}`,
    API_KEYS: 'callers-key',
  });
});
afterAll(() => served.close());

async function ask(method: string, path: string, body?: object, key = 'callers-key') {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(served.url + path, init);
  return { status: response.status, body: (await response.json()) as object };
}

const listed = (name: string, capability: string) => ({
  name: `${name}:latest`,
  model: name,
  modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  details: { format: 'onnx', quantization_level: expect.any(String) },
  capabilities: [capability],
});

describe('what clients of Ollama ask before they ask for a vector', () => {
  it.each(['GET', 'HEAD'])('whether anybody is there: %s /', async (method) => {
    const { status } = await fetch(served.url, { method, headers: { authorization: 'Bearer callers-key' } });
    expect(status).toBe(200);
  });

  it('which models there are, by names that /api/embed takes', async () => {
    const { status, body } = await ask('GET', '/api/tags');
    const models = [listed('bert-mean', 'embedding'), listed('ranker', 'rerank')];
    expect([status, body]).toEqual([200, { models }]);
    for (const model of ['bert-mean', 'bert-mean:latest'])
      expect(await ask('POST', '/api/embed', { model, input: 'a cat' })).toMatchObject({
        status: 200,
        // The AI SDK's provider for Ollama takes no answer without it.
        body: { load_duration: expect.any(Number) },
      });
  });

  it.each([{ model: 'bert-mean:latest' }, { name: 'bert-mean' }])(
    'what one of them is: %j',
    async (asked) => {
      expect(await ask('POST', '/api/show', asked)).toEqual({
        status: 200,
        body: {
          ...listed('bert-mean', 'embedding'),
          model_info: {
            'general.architecture': 'onnx',
            'onnx.embedding_length': 8,
            'onnx.context_length': expect.any(Number),
          },
        },
      });
    },
  );
});

describe('what clients of Ollama are refused', () => {
  it.each<[string, string, object | undefined, number, RegExp, string?]>([
    ['POST', '/api/show', { model: 'another' }, 404, /'bert-mean'/],
    ['POST', '/api/show', {}, 400, /'model'/],
    ['GET', '/api/tags', undefined, 401, /API key/, 'wrong'],
    ['GET', '/api/version', undefined, 404, /\/api\/embed/],
    ['GET', '/api/ps', undefined, 404, /\/api\/embed/],
    ['POST', '/api/chat', { model: 'bert-mean', messages: [] }, 404, /\/api\/embed/],
    ['DELETE', '/api/delete', { model: 'bert-mean' }, 404, /\/api\/embed/],
    ['GET', '/api/embed', undefined, 405, /POST/],
  ])('is a sentence, which is all that they show: %s %s %j', async (...row) => {
    const [method, path, body, status, message, key] = row;
    const answer = await ask(method, path, body, key);
    expect([answer.status, answer.body]).toEqual([status, { error: expect.stringMatching(message) }]);
  });

  it("stays in OpenAI's shape below what OpenAI's clients have for a base URL", async () => {
    const error = { code: 'unknown_url', message: expect.stringContaining('There is /v1/models.') };
    expect(await ask('GET', '/api/v1/models')).toMatchObject({ status: 404, body: { error } });
  });
});
