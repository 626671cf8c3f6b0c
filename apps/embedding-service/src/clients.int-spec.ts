import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Served, serve } from '../fixture/served.ts';

const FIXTURES = join(import.meta.dirname, '../../../libs/infrastructure/local-embeddings/fixture');
const LONG = 'word '.repeat(100);

let served: Served;
let url: string;

beforeAll(async () => {
  const further = [
    join(FIXTURES, 'reference-models/bert-max'),
    `ranker=${join(FIXTURES, 'reference-rankers/bert')}`,
  ];
  served = await serve({
    // Without a Normalize module: its vectors have any length.
    EMBEDDING_MODEL: join(FIXTURES, 'reference-models/bert-mean'),
    EMBEDDING_FURTHER_MODELS: further.join(','),
  });
  ({ url } = served);
});
afterAll(() => served.close());

async function ask<Body>(path: string, body: object, type = 'application/json') {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': type },
  });
  return { status: response.status, body: (await response.json()) as Body };
}

/** The vectors as the model gives them, from the path that other specs hold to the library. */
async function vectorsOf(input: string | string[], model = 'default', more: object = {}) {
  const { body } = await ask<{ data: { embedding: number[] }[] }>('/v1/embeddings', {
    model,
    input,
    ...more,
  });
  return body.data.map(({ embedding }) => embedding);
}

describe("Cohere's POST /v1/embed, as LangChain and older clients ask", () => {
  interface Embedded {
    readonly embeddings: number[][] | Record<string, number[][]>;
  }

  it('gives one list of vectors to who names no types, and the texts back', async () => {
    const texts = ['a cat', 'a dog'];
    const { status, body } = await ask<Embedded>('/v1/embed', { texts, input_type: 'search_document' });
    expect([status, body]).toEqual([
      200,
      {
        id: expect.any(String),
        response_type: 'embeddings_floats',
        embeddings: await vectorsOf(texts),
        texts,
        meta: { api_version: { version: '1' }, billed_units: { input_tokens: expect.any(Number) } },
      },
    ]);
  });

  it('gives a list for each type to who names some', async () => {
    const asked = { model: 'bert-max', texts: ['a cat'], embedding_types: ['float', 'int8'] };
    const { body } = await ask<Embedded>('/v1/embed', asked);
    expect(body).toMatchObject({
      response_type: 'embeddings_by_type',
      embeddings: {
        float: await vectorsOf('a cat', 'bert-max'),
        int8: await vectorsOf('a cat', 'bert-max', { output_dtype: 'int8' }),
      },
      texts: ['a cat'],
    });
  });

  it('keeps all vectors and texts of a long answer in order', async () => {
    const texts = Array.from({ length: 2_047 }, (_, index) => `text ${index}`);
    const { body } = await ask<Embedded & { texts: string[] }>('/v1/embed', { texts });
    expect(body.embeddings).toEqual(await vectorsOf(texts));
    expect(body.texts).toEqual(texts);
  });

  it.each([
    [{ texts: ['a', ''] }, 400, /texts\[1\]/],
    [{ texts: ['a'], model: 'another' }, 404, /'bert-mean'/],
    [{ texts: [LONG], truncate: 'NONE' }, 400, /truncation is off/],
    [{ images: ['data:image/png;base64,AA=='] }, 400, /images/],
  ])('refuses in its own shape: %#', async (more, status, message) => {
    const answer = await ask<{ message: string }>('/v1/embed', more);
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, ['message']]);
    expect(answer.body.message).toMatch(message);
  });
});

describe("Voyage's POST /v1/rerank", () => {
  it('has its results where its clients look, a document as its text', async () => {
    const asked = { model: 'ranker', query: 'a cat', documents: ['a dog', 'a cat', 'a bird'] };
    const { body: all } = await ask<{ results: object[] }>('/v1/rerank', asked);
    const more = { top_k: 2, truncation: true, return_documents: true };
    const { body } = await ask<{ results: { index: number; relevance_score: number }[] }>('/v1/rerank', {
      ...asked,
      ...more,
    });
    expect(body.results).toHaveLength(2);
    expect(all).toMatchObject({ object: 'list', data: all.results });
    expect(body).toMatchObject({
      data: body.results.map(({ index, relevance_score }) => ({
        index,
        relevance_score,
        document: asked.documents[index],
      })),
      usage: { total_tokens: expect.any(Number) },
    });
  });

  it('is no reason to take from documents of Cohere what else they have', async () => {
    const documents = [{ text: 'a dog', title: 'Dogs' }];
    const asked = { query: 'a cat', documents, return_documents: true };
    const { body } = await ask<{ results: object[] }>('/v1/rerank', asked);
    expect(body.results).toMatchObject([{ index: 0, document: documents[0] }]);
  });
});

describe("Jina's clients", () => {
  it('may send texts as objects, and the type that they want in a list', async () => {
    const input = [{ text: 'a cat' }, 'a dog'];
    const asked = { model: 'default', input, embedding_type: ['int8'], late_chunking: false };
    const { body } = await ask<{ data: { embedding: number[] }[] }>('/v1/embeddings', asked);
    const expected = await vectorsOf(['a cat', 'a dog'], 'default', { output_dtype: 'int8' });
    expect(body.data.map(({ embedding }) => embedding)).toEqual(expected);
  });

  it('may not send what is no text, nor ask for two types', async () => {
    for (const [more, param] of [
      [{ input: [{ image: 'data:image/png;base64,AA==' }] }, 'input[0].image'],
      [{ input: ['a', { text: 7 }] }, 'input[1].text'],
      [{ input: 'a', embedding_type: ['float', 'int8'] }, 'embedding_type'],
    ] as const) {
      const asked = { model: 'default', ...more };
      const { status, body } = await ask<{ error: { param: string } }>('/v1/embeddings', asked);
      expect([status, body.error.param]).toEqual([400, param]);
    }
  });
});

describe("Mistral's clients", () => {
  it('find an id, and equal requests have equal answers all the same', async () => {
    const asked = { model: 'bert-mean', input: ['a cat'] };
    const { body } = await ask('/v1/embeddings', asked);
    expect(body).toMatchObject({ id: 'embd-bert-mean' });
    expect((await ask('/v1/embeddings', asked)).body).toEqual(body);
  });
});

describe("OpenAI's clients, given the address of the server itself as Infinity's and text-embeddings-inference's are", () => {
  it('have vectors and models there, too', async () => {
    const asked = { model: 'bert-max', input: ['a cat'] };
    const answer = await ask('/embeddings', asked);
    expect(answer.status).toBe(200);
    expect(answer).toEqual(await ask('/v1/embeddings', asked));
    for (const path of ['', '/bert-max'])
      expect(await (await fetch(`${url}/models${path}`)).json()).toEqual(
        await (await fetch(`${url}/v1/models${path}`)).json(),
      );
    const refused = await ask('/embeddings', { model: 'bert-max', input: '' });
    expect([refused.status, refused.body]).toMatchObject([400, { error: { code: 'empty_string' } }]);
  });
});

describe("Infinity's clients", () => {
  it('who are told no model mean the first, or the first that ranks', async () => {
    const model = 'default/not-specified';
    const asked = { input: ['a cat'], encoding_format: 'float', modality: 'text' };
    expect(await ask('/embeddings', { model, ...asked })).toEqual(await ask('/embeddings', asked));
    const ranking = { query: 'a cat', documents: ['a dog'], return_documents: true };
    const { status, body } = await ask('/rerank', { model, ...ranking });
    expect([status, body]).toMatchObject([200, { model: 'ranker', results: [{ index: 0 }] }]);
  });
});

describe("Hugging Face's clients", () => {
  it('have what they ask of the address of the server itself, whichever task it is of', async () => {
    const inputs = { source_sentence: 'a cat', sentences: ['a dog', 'a bird'] };
    const ranking = { query: 'a cat', texts: ['a dog', 'a cat'], model: 'ranker' };
    for (const [path, body] of [
      ['/embed', { inputs: ['a cat', 'a dog'], normalize: false }],
      ['/similarity', { inputs }],
      ['/rerank', ranking],
    ] as const) {
      const answer = await ask('/', body);
      expect(answer.status).toBe(200);
      expect(answer).toEqual(await ask(path, body));
    }
  });

  it.each([
    [{ inputs: { source_sentence: 'a cat' } }, /sentences/],
    [{ query: 'a cat' }, /texts/],
    [{ inputs: { question: 'a cat' } }, /'inputs'/],
    [{}, /'inputs'/],
  ])('are told what is missing of the task that they mean: %j', async (body, message) => {
    const answer = await ask('/', body);
    const said = { error: expect.stringMatching(message), error_type: 'Validation' };
    expect([answer.status, answer.body]).toEqual([422, said]);
  });
});

describe("text-embeddings-inference's calls", () => {
  it('are answered by the model that they name, and by no other in its place', async () => {
    const asked = { inputs: 'a cat', normalize: false, model: 'bert-max' };
    for (const path of ['/embed', '/'])
      expect((await ask(path, asked)).body).toEqual(await vectorsOf('a cat', 'bert-max'));
    const inputs = { source_sentence: 'a cat', sentences: ['a dog'] };
    const { body } = await ask<{ data: { similarity: number }[] }>('/v1/similarity', {
      source: 'a cat',
      targets: ['a dog'],
      model: 'bert-max',
    });
    const similarities = await ask('/similarity', { inputs, model: 'bert-max' });
    expect(similarities.body).toEqual(body.data.map(({ similarity }) => similarity));
  });

  it('/rerank gives the best few, of the model that it names', async () => {
    const asked = { query: 'a cat', texts: ['a dog', 'a cat', 'a bird'], model: 'ranker' };
    const { body: all } = await ask<object[]>('/rerank', asked);
    expect((await ask('/rerank', { ...asked, top_n: 2 })).body).toEqual(all.slice(0, 2));
  });

  it("/rerank with documents is answered as vLLM's, Infinity's and llama.cpp's clients know it", async () => {
    const asked = { query: 'a cat', documents: ['a dog', 'a cat', 'a bird'], top_n: 2 };
    interface Ranking {
      readonly id: string;
      readonly results: object[];
    }
    const { body } = await ask<Ranking>('/rerank', asked);
    const expected = (await ask<Ranking>('/v1/rerank', asked)).body;
    expect(body).toEqual({ ...expected, id: expect.any(String) });
    expect(body.results).toHaveLength(2);
  });

  it.each<[string, object, number, string]>([
    ['/embed', { inputs: 'a', model: 'another' }, 404, 'Validation'],
    ['/', { inputs: 'a', model: 'another' }, 404, 'Validation'],
    ['/embed', { inputs: 'a', model: 'ranker' }, 424, 'Backend'],
    ['/similarity', { inputs: { source_sentence: 'a', sentences: ['b'] }, model: 'x' }, 404, 'Validation'],
    [
      '/similarity',
      { inputs: { source_sentence: 'a', sentences: ['b'] }, parameters: { dimensions: 4 } },
      422,
      'Validation',
    ],
    ['/rerank', { query: 'a', texts: ['b'], model: 'another' }, 404, 'Validation'],
    ['/rerank', { query: 'a', texts: ['b'], model: 'bert-mean' }, 424, 'Backend'],
    ['/rerank', { query: 'a', texts: ['b'], top_n: 0 }, 422, 'Validation'],
    ['/rerank', { query: 'a', texts: ['b'], documents: ['c'] }, 422, 'Validation'],
    ['/rerank', { query: 'a', documents: [] }, 400, 'Empty'],
    ['/rerank', { query: 'a', documents: ['b'], rank_fields: ['title'] }, 422, 'Validation'],
  ])('%s refuses in its words: %#', async (path, body, status, error_type) => {
    const answer = await ask(path, body);
    expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String), error_type }]);
  });
});

describe("Ollama's", () => {
  interface Embedded {
    readonly embeddings: number[][];
  }
  const unit = async (input: string | string[], more: object = {}) =>
    vectorsOf(input, 'default', { normalize: true, ...more });

  it('/api/embed has vectors of length 1 for one text or several', async () => {
    const { status, body } = await ask<Embedded>('/api/embed', { model: 'bert-mean', input: 'a cat' });
    expect([status, body]).toEqual([
      200,
      {
        model: 'bert-mean',
        embeddings: await unit('a cat'),
        total_duration: expect.any(Number),
        load_duration: expect.any(Number),
        prompt_eval_count: expect.any(Number),
      },
    ]);
    const input = Array.from({ length: 2_048 }, (_, index) => `text ${index}`);
    const { body: many } = await ask<Embedded>('/api/embed', { model: 'bert-mean', input, dimensions: 4 });
    expect(many.embeddings).toEqual(await unit(input, { dimensions: 4 }));
  });

  it('names are good with and without their tag', async () => {
    const asked = { model: 'bert-max:latest', input: 'a cat', keep_alive: '5m', truncate: true };
    const { body } = await ask<Embedded>('/api/embed', asked);
    expect(body.embeddings).toEqual(await vectorsOf('a cat', 'bert-max', { normalize: true }));
  });

  it('/api/embeddings has the one vector as the model gives it', async () => {
    const asked = { model: 'default', prompt: 'a cat', options: { num_ctx: 8_192, temperature: 0 } };
    const { body } = await ask<{ embedding: number[] }>('/api/embeddings', asked);
    expect([body.embedding]).toEqual(await vectorsOf('a cat'));
  });

  it('limit of a context matters only to a text that is longer', async () => {
    const asked = { model: 'default', input: ['a cat', LONG] };
    const taken = await ask('/api/embed', { ...asked, input: 'a cat', options: { num_ctx: 8 } });
    expect(taken.status).toBe(200);
    const refused = await ask<{ error: string }>('/api/embed', { ...asked, options: { num_ctx: 8 } });
    expect([refused.status, refused.body.error]).toEqual([400, expect.stringContaining("'options.num_ctx'")]);
  });

  it.each<[string, object, number, RegExp, string?]>([
    ['/api/embed', { model: 'another', input: 'a' }, 404, /'bert-mean'/],
    ['/api/embed', { model: 'default', input: ['a', ''] }, 400, /input\[1\]/],
    ['/api/embed', { model: 'default', input: LONG, truncate: false }, 400, /truncation is off/],
    ['/api/embed', { model: 'default', input: 'a', dimensions: 9 }, 400, /dimensions/],
    ['/api/embed', { input: 'a' }, 400, /model/],
    ['/api/embeddings', { model: 'default', input: 'a' }, 400, /prompt/],
    ['/api/embeddings', { model: 'ranker', prompt: 'a' }, 400, /'ranker'/],
    ['/api/embed', {}, 415, /application\/json/, 'text/plain'],
  ])('%s refuses with a sentence, which is all that its clients show: %#', async (...row) => {
    const [path, body, status, message, type] = row;
    const answer = await ask<{ error: string }>(path, body, type);
    expect([answer.status, answer.body]).toEqual([status, { error: expect.stringMatching(message) }]);
  });
});
