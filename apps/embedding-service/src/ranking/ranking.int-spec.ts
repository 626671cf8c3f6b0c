import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { type Served, serve } from '../../fixture/served.ts';

interface ReferenceRow {
  readonly query: string;
  readonly text: string;
  readonly raw: number;
  readonly score: number;
}

const FIXTURES = join(import.meta.dirname, '../../../../libs/infrastructure/local-embeddings/fixture');
const RANKER = join(FIXTURES, 'reference-rankers/bert');
const rows = JSON.parse(readFileSync(join(RANKER, 'ref.json'), 'utf8')) as readonly ReferenceRow[];
const [{ query }] = rows as [ReferenceRow];
const alike = rows.filter((row) => row.query === query);
const texts = alike.map(({ text }) => text);
/** The places of the texts, the best first. */
const order = alike
  .map((_, index) => index)
  .sort((one, other) => (alike[other]?.score ?? 0) - (alike[one]?.score ?? 0));

/** A megabyte together. */
const long = texts.map((text) => text.repeat(Math.ceil(1e6 / texts.length / text.length)));

let served: Served;
let url: string;

beforeAll(async () => {
  const env = {
    EMBEDDING_MODEL: join(FIXTURES, 'reference-models/bert-mean'),
    EMBEDDING_FURTHER_MODELS: `${join(FIXTURES, 'reference-models/bert-max')},ranker=${RANKER}`,
  };
  served = await serve(env);
  ({ url } = served);
});
afterAll(() => served.close());

async function ask<Body>(path: string, body: object) {
  const response = await postJson(`${url}${path}`, body);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

interface Ranked {
  readonly index: number;
  readonly relevance_score: number;
  readonly document?: { readonly text: string };
}
interface Ranking {
  readonly results: readonly Ranked[];
  readonly message?: string;
}

it('a cross-encoder that is loaded for the call refuses what it does not serve', async () => {
  const { status, body } = await ask<Ranking>('/v2/rerank', {
    query,
    documents: texts,
    max_tokens_per_doc: 8,
  });
  expect([status, body.message]).toEqual([400, expect.stringContaining('max_tokens_per_doc')]);
});

describe("text-embeddings-inference's /rerank", () => {
  it('gives the scores of the library, the best first, between 0 and 1 or raw', async () => {
    const { body } = await ask<{ index: number; score: number; text?: string }[]>('/rerank', {
      query,
      texts,
    });
    expect(body.map(({ index }) => index)).toEqual(order);
    for (const { index, score } of body) expect(score).toBeCloseTo(alike[index]?.score as number, 5);
    expect(body[0]).not.toHaveProperty('text');
    const { body: raw } = await ask<{ index: number; score: number; text?: string }[]>('/rerank', {
      query,
      texts,
      raw_scores: true,
      return_text: true,
    });
    for (const { index, score, text } of raw) {
      expect(score).toBeCloseTo(alike[index]?.raw as number, 5);
      expect(text).toBe(texts[index]);
    }
  });

  it.each<[object, number, string]>([
    [{ query, texts: [] }, 400, 'Empty'],
    [{ texts }, 422, 'Validation'],
    [{ query: 'a', texts: ['dog '.repeat(100)], truncate: false }, 413, 'Validation'],
    [{ query: 'a', texts: new Array<string>(2_048).fill('b') }, 413, 'Validation'],
    [{ query: 'a', texts, truncation_direction: 'Left' }, 422, 'Validation'],
  ])('refuses in its own words: %#', async (body, status, error_type) => {
    const answer = await ask('/rerank', body);
    expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String), error_type }]);
  });
});

describe("Cohere's rerank", () => {
  it('gives the best few', async () => {
    const { body, headers } = await ask<Ranking>('/v2/rerank', {
      model: 'ranker',
      query,
      documents: texts,
      top_n: 2,
    });
    expect(body.results.map(({ index }) => index)).toEqual(order.slice(0, 2));
    expect(body.results[0]?.relevance_score).toBeCloseTo(alike[order[0] as number]?.score as number, 5);
    expect(body).toMatchObject({
      id: expect.any(String),
      meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
    });
    // The long text of the reference.
    expect(headers.get('x-morgan-truncated')).toBe('1');
  });

  it('gives raw scores to who asks for them, in either of the words for it', async () => {
    for (const [path, more] of [
      ['/v1/rerank', { raw_scores: true }],
      ['/v2/rerank', { use_activation: false }],
    ] as const) {
      const { body } = await ask<Ranking>(path, { query, documents: texts, ...more });
      for (const { index, relevance_score } of body.results)
        expect(relevance_score).toBeCloseTo(alike[index]?.raw as number, 5);
    }
  });

  // RAGFlow sends a string.
  it.each([true, 'true'])('gives documents back to who asks for them: %j', async (asked) => {
    const { body } = await ask<Ranking>('/v2/rerank', { query, documents: texts, return_documents: asked });
    expect(body.results.map(({ document }) => document?.text)).toEqual(order.map((index) => texts[index]));
  });

  it.each([false, 'false', null])('gives none back to who does not: %j', async (asked) => {
    const { body } = await ask<Ranking>('/v2/rerank', { query, documents: texts, return_documents: asked });
    expect(body.results.filter(({ document }) => document !== undefined)).toEqual([]);
  });

  it.each<[string, object, (row: { document?: { text: string }; text?: string }) => string | undefined]>([
    ['/v1/rerank', { documents: long, return_documents: true }, ({ document }) => document?.text],
    ['/v2/rerank', { documents: long, return_documents: true }, ({ document }) => document?.text],
    ['/rerank', { texts: long, return_text: true }, ({ text }) => text],
  ])('%s gives long documents back in pieces, whole and in order', async (path, more, textOf) => {
    const asked = { query, model: 'ranker', truncate: true, ...more };
    const { headers, body } = await ask<Ranking & Ranked[]>(path, asked);
    const ranked = body.results ?? body;
    expect(headers.get('transfer-encoding')).toBe('chunked');
    expect(ranked.map(textOf)).toEqual(ranked.map(({ index }) => long[index]));
    expect(ranked).toHaveLength(long.length);
  });

  it('takes documents as objects and gives them back in its older version', async () => {
    const documents = texts.map((text, index) => (index % 2 ? { text, id: index } : text));
    const { body } = await ask<Ranking>('/v1/rerank', {
      query,
      documents,
      return_documents: true,
      rank_fields: ['text'],
    });
    expect(body.results.map(({ document }) => document?.text)).toEqual(order.map((index) => texts[index]));
    expect(body).toMatchObject({ model: 'ranker', usage: { total_tokens: expect.any(Number) } });
  });

  it.each<[string, object, number, RegExp]>([
    ['/v2/rerank', { query, documents: ['a', 7] }, 400, /documents\[1\]/],
    ['/v1/rerank', { query, documents: ['a', { title: 'b' }] }, 400, /documents\[1\]\.text/],
    ['/v2/rerank', { query, documents: texts, top_n: 0 }, 400, /top_n/],
    ['/v2/rerank', { query, documents: texts, return_documents: 'yes' }, 400, /return_documents/],
    ['/v1/rerank', { query, documents: texts, rank_fields: ['title', 'text'] }, 400, /rank_fields/],
    ['/v1/rerank', { query, documents: texts, max_chunks_per_doc: 10 }, 400, /max_chunks_per_doc/],
    ['/v2/rerank', { query, documents: texts, truncate_prompt_tokens: 16 }, 400, /truncate_prompt_tokens/],
    ['/v1/rerank', { query, documents: texts, max_tokens_per_doc: 8 }, 400, /max_tokens_per_doc/],
    ['/v2/rerank', { query, documents: texts, max_tokens_per_doc: 8 }, 400, /max_tokens_per_doc/],
    ['/v2/rerank', { query, documents: texts, top_k: 1 }, 400, /top_k.*top_n/],
    ['/v1/rerank', { query, documents: texts, top_k: 0 }, 400, /top_k/],
    ['/v1/rerank', { query, documents: texts, top_k: 1, top_n: 2 }, 400, /Only one of/],
    ['/v1/rerank', { query, documents: texts, return_embeddings: true }, 400, /return_embeddings/],
    ['/v2/rerank', { query, documents: texts, max_tokens_per_query: 4 }, 400, /max_tokens_per_query/],
    ['/v2/rerank', { query, documents: texts, truncate: false }, 400, /truncation is off/],
    ['/v1/rerank', { query, documents: texts, truncation: false }, 400, /truncation is off/],
    ['/v1/rerank', { query, documents: texts, truncate: true, truncation: true }, 400, /Only one of/],
    ['/v2/rerank', { query, documents: texts, truncation_direction: 'Left' }, 400, /truncation_direction/],
    ['/v1/rerank', { query, documents: texts, instruction: 'Find it.' }, 400, /instruction/],
    ['/v2/rerank', { query, documents: texts, instruct: 'Find it.' }, 400, /'instruct'/],
    ['/v1/rerank', { query, documents: texts, activation: false }, 400, /activation.*raw_scores/],
    ['/v1/rerank', { query, documents: texts, normalize: false }, 400, /normalize.*raw_scores/],
    ['/v2/rerank', { query, documents: texts, padding: 'max_length' }, 400, /padding.*do_not_pad/],
    ['/v2/rerank', { query, documents: texts, add_special_tokens: false }, 400, /add_special_tokens/],
    ['/v1/rerank', { query, documents: texts, max_length: 8 }, 400, /max_length.*limit of the model/],
    ['/v2/rerank', { query, documents: texts, raw_scores: true, use_activation: false }, 400, /Only one of/],
    ['/v2/rerank', { query, documents: texts, model: 'another' }, 404, /'bert-mean', 'bert-max', 'ranker'/],
    ['/v2/rerank', { query, documents: texts, model: 'bert-mean' }, 400, /cross-encoder/],
  ])('%s refuses by the field: %#', async (path, body, status, message) => {
    const answer = await ask<Ranking>(path, body);
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, ['message']]);
    expect(answer.body.message).toMatch(message);
  });
});

describe('several models', () => {
  interface Embeddings {
    readonly model: string;
    readonly data: readonly { readonly embedding: number[] }[];
  }
  const embed = (model: string, input: unknown = 'a cat') =>
    ask<Embeddings>('/v1/embeddings', { model, input });

  it('answer by their name and never with the cached vector of another one', async () => {
    const reference = (name: string) =>
      (
        JSON.parse(readFileSync(join(FIXTURES, 'reference-models', name, 'ref.json'), 'utf8')) as {
          text: string;
          vector: number[];
        }[]
      ).find(({ text }) => text === 'hello world')?.vector as number[];
    for (let time = 0; time < 2; time += 1) {
      for (const [asked, name] of [
        ['default', 'bert-mean'],
        ['bert-mean', 'bert-mean'],
        ['bert-max', 'bert-max'],
      ] as const) {
        const { body } = await embed(asked, 'hello world');
        expect(body.model).toBe(name);
        const expected = reference(name);
        body.data[0]?.embedding.forEach((value, index) =>
          expect(value).toBeCloseTo(expected[index] as number, 5),
        );
      }
    }
    expect((await embed('bert-max', 'hello world')).headers.get('x-morgan-cache')).toBe('hit');
  });

  it('are listed, described and counted by name', async () => {
    await embed('bert-max');
    const get = async (path: string) => (await fetch(`${url}${path}`)).json() as Promise<object>;
    expect(await get('/v1/models')).toMatchObject({
      data: [{ id: 'bert-mean', loaded: true }, { id: 'bert-max', loaded: true }, { id: 'ranker' }],
    });
    expect(await get('/v1/models/bert-max')).toMatchObject({ id: 'bert-max', object: 'model' });
    expect(await get('/info')).toMatchObject({ model_id: 'bert-mean' });
    expect(await get('/info?model=ranker')).toMatchObject({
      model_type: { reranker: { id2label: { '0': 'LABEL_0' } } },
    });
    const figures = await (await fetch(`${url}/metrics`)).text();
    expect(figures).toMatch(/morgan_embedding_texts_total{model="bert-max"} [1-9]/);
    expect(figures).toMatch(/morgan_embedding_model_loaded{model="bert-mean"} 1/);
  });

  it('that are for something else, or not there, are refused by name', async () => {
    expect(await embed('another')).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found', message: expect.stringContaining("'ranker'") } },
    });
    expect(await embed('ranker')).toMatchObject({
      status: 400,
      body: { error: { code: 'unsupported_by_model', param: 'model' } },
    });
  });
});
