import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { type Served, serve } from '../../fixture/served.ts';

const FIXTURES = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models',
);

let served: Served;
let url: string;
beforeAll(async () => {
  const env = {
    EMBEDDING_MODEL: join(FIXTURES, 'bert-prompts'),
    EMBEDDING_MODEL_NAME: 'first',
    EMBEDDING_BACKEND: 'onnx',
    EMBEDDING_GRAPH_OUTPUT: 'last_hidden_state',
    EMBEDDING_POOLING: 'max',
    EMBEDDING_PROMPT_NAME: 'document',
    EMBEDDING_TRUNCATE_DIMENSIONS: '4',
    EMBEDDING_TRUNCATE: 'false',
    EMBEDDING_FURTHER_MODELS: join(FIXTURES, 'bert-mean'),
  };
  served = await serve(env);
  ({ url } = served);
});
afterAll(() => served.close());

const LONG = 'word '.repeat(100);

async function ask(path: string, body: object) {
  const response = await postJson(`${url}${path}`, body);
  return { status: response.status, body: (await response.json()) as { data: { embedding: number[] }[] } };
}

const embed = (model: string, input: string) => ask('/v1/embeddings', { model, input });

describe('a further model', () => {
  it('has nothing of what the configuration says about the files of the first', async () => {
    const [first, further] = [await embed('first', 'hello world'), await embed('bert-mean', 'hello world')];
    expect([first.status, further.status]).toEqual([200, 200]);
    expect(first.body.data[0]?.embedding).toHaveLength(4);
    expect(further.body.data[0]?.embedding).toHaveLength(8);
  });

  it('refuses texts that are too long where the first does', async () => {
    const statuses = [(await embed('first', LONG)).status, (await embed('bert-mean', LONG)).status];
    expect(statuses).toEqual([400, 400]);
  });
});

describe("Cohere's POST /v2/embed", () => {
  it('cuts texts as the configuration says it where a request says nothing', async () => {
    const body = { model: 'first', texts: [LONG] };
    expect((await ask('/v2/embed', body)).status).toBe(400);
    expect((await ask('/v2/embed', { ...body, truncate: 'END' })).status).toBe(200);
  });
});
