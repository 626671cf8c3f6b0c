import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OpenAIEmbeddings } from '@langchain/openai';
import OpenAI from 'openai';
import { postJson } from '@morgan/testing';
import { type Served, serve } from '../fixture/served.ts';

/** Eight values, 32 tokens, prompts `query` (the default) and `document`. */
const MODEL = join(
  import.meta.dirname,
  '../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);

let served: Served;
let url: string;

beforeAll(async () => {
  const env = {
    EMBEDDING_MODEL: MODEL,
    EMBEDDING_CUT_DIMENSIONS: '4,6',
  };
  served = await serve(env);
  ({ url } = served);
});

afterAll(() => served.close());

const send = (path: string, body: object, headers: Record<string, string> = {}) =>
  postJson(`${url}${path}`, body, headers);

async function responseOf<Body>(path: string, body: object, headers?: Record<string, string>) {
  const response = await send(path, body, headers);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

interface Embeddings {
  readonly data: readonly { readonly embedding: number[] }[];
}

const vectorOf = async (more: object, input: unknown = 'a cat') => {
  const { body } = await responseOf<Embeddings>('/v1/embeddings', { model: 'default', input, ...more });
  return body.data[0]?.embedding as number[];
};

interface OpenAiError {
  readonly error: { readonly code: string; readonly param: string; readonly message: string };
}

describe('the prompt of POST /v1/embeddings', () => {
  it('is the default of the model once, or the one that is asked for, cached or not', async () => {
    for (let time = 0; time < 2; time += 1) {
      const query = await vectorOf({});
      const document = await vectorOf({ input_type: 'search_document' });
      expect(document).not.toEqual(query);
      expect(await vectorOf({ task: 'retrieval.query' })).toEqual(query);
      expect(await vectorOf({ task_type: 'RETRIEVAL_DOCUMENT' })).toEqual(document);
      expect(await vectorOf({ prompt_name: 'document' })).toEqual(document);
      expect(await vectorOf({ prompt: 'passage: ' })).toEqual(document);
      expect(await vectorOf({ prompt: '' }, 'query: a cat')).toEqual(query);
      expect(await vectorOf({ prompt: '' })).not.toEqual(query);
    }
  });

  it('shares the vectors of the default one when that is named', async () => {
    await vectorOf({}, 'shared');
    const body = { model: 'default', input: 'shared', prompt_name: 'query' };
    const { headers } = await responseOf('/v1/embeddings', body);
    expect(headers.get('x-morgan-cache')).toBe('hit');
  });

  it.each([
    [{ prompt_name: 'haiku' }, 'prompt_name', /prompts of the model: document, query\./],
    [{ input_type: 'haiku' }, 'input_type', /document, query.*search_query/],
    [{ input: [[5, 6]], prompt: 'x' }, 'prompt', /token ids/],
    [{ prompt: 'x'.repeat(1025) }, 'prompt', /1024/],
  ])('is refused by its field: %#', async (more, param, message) => {
    const { status, body } = await responseOf<OpenAiError>('/v1/embeddings', {
      model: 'default',
      input: 'a',
      ...more,
    });
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', param]);
    expect(body.error.message).toMatch(message);
  });
});

describe('the output of POST /v1/embeddings', () => {
  it('has the type that is asked for, under either name, as numbers or base64', async () => {
    const unit = await vectorOf({});
    const int8 = unit.map((value) => Math.round(value * 127) + 0);
    expect(await vectorOf({ output_dtype: 'int8' })).toEqual(int8);
    expect(await vectorOf({ embedding_types: ['uint8'] })).toEqual(int8.map((value) => value + 128));
    expect(await vectorOf({ embedding_type: 'int8' })).toEqual(int8);
    expect(await vectorOf({ encoding_type: 'int8' })).toEqual(int8);
    expect(await vectorOf({ embedding_type: 'base64' })).toEqual(
      await vectorOf({ encoding_format: 'base64' }),
    );
    const [bits] = await vectorOf({ output_dtype: 'ubinary' });
    expect(bits?.toString(2).padStart(8, '0')).toBe(unit.map((value) => (value > 0 ? '1' : '0')).join(''));
    const encoded = (await vectorOf({ output_dtype: 'int8', encoding_format: 'base64' })) as unknown;
    expect([...new Int8Array(Buffer.from(encoded as string, 'base64'))]).toEqual(int8);
  });

  it("has the length that is asked for, and its texts cut or refused, in Voyage's and others' words too", async () => {
    const cut = await vectorOf({ dimensions: 4 });
    expect(cut).toHaveLength(4);
    expect(await vectorOf({ output_dimension: 4 })).toEqual(cut);
    const whole = await vectorOf({});
    expect(await vectorOf({ dimensions: 4, normalize: false })).toEqual(whole.slice(0, 4));
    expect(await vectorOf({ dimensions: 4, normalized: true })).toEqual(cut);
    const input = 'word '.repeat(100);
    const statusOf = async (more: object) =>
      (await responseOf('/v1/embeddings', { model: 'default', input, ...more })).status;
    for (const more of [{ truncate: false }, { truncate: 'NONE' }, { truncation: false }])
      expect(await statusOf(more)).toBe(400);
    for (const more of [
      { truncate: true },
      { truncate: 'END' },
      { truncation: true },
      { late_chunking: false },
      { padding: 'do_not_pad', encoding_type: 'float' },
      { add_special_tokens: true, truncate_prompt_tokens: -1, embed_dtype: 'float32', modality: 'text' },
      { truncate_prompt_tokens: 32 },
      { modality: ['text', 'text'] },
      { modality: 'text,text' },
    ])
      expect(await statusOf(more)).toBe(200);
  });

  it('is the bytes of the vectors for who asks for octets, with their shape in headers', async () => {
    const input = Array.from({ length: 2_048 }, (_, index) => `text ${index % 50}`);
    const first = await vectorOf({ dimensions: 4 }, input);
    const response = await send(
      '/v1/embeddings',
      { model: 'default', input, dimensions: 4 },
      { accept: 'application/octet-stream' },
    );
    const values = new Float32Array(await response.arrayBuffer());
    expect(values).toHaveLength(2_048 * 4);
    expect([...values.subarray(0, 4)]).toEqual(first);
    expect([...values.subarray(50 * 4, 51 * 4)]).toEqual(first);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-morgan-vectors': '2048',
      'x-morgan-dimensions': '4',
      'x-morgan-dtype': 'float',
    });
  });

  it.each([
    [{ dimensions: 5 }, 'dimensions', /may be cut to 4, 6/],
    [{ dimensions: 9 }, 'dimensions', /vectors have 8/],
    [{ embedding_types: ['int8', 'float'] }, 'embedding_types', /\/v2\/embed/],
    [{ output_dtype: 'int4' }, 'output_dtype', /int8/],
    [{ embedding_type: 'int4' }, 'embedding_type', /int8/],
    [{ embedding_type: 'base64', encoding_format: 'float' }, 'embedding_type', /encoding_format/],
    [{ output_dimension: 5 }, 'output_dimension', /'output_dimension' is 5, .* 4, 6/],
    [{ output_dimension: 4, dimensions: 6 }, 'output_dimension', /Only one of/],
    [{ truncate: true, truncation: false }, 'truncation', /Only one of/],
    [{ truncate: 'START' }, 'truncate', /at the start; the model cuts them at the end/],
    [{ truncate: 'MIDDLE' }, 'truncate', /END, START or NONE/],
    [{ late_chunking: true }, 'late_chunking', /not served/],
    [{ return_multivector: true }, 'return_multivector', /not served/],
    [{ add_special_tokens: false }, 'add_special_tokens', /not served/],
    [{ truncate_prompt_tokens: 16 }, 'truncate_prompt_tokens', /32 tokens of the model only/],
    [{ embed_dtype: 'float16' }, 'embed_dtype', /not served/],
    [{ modality: 'image' }, 'modality', /not served/],
    [{ padding: 'max_length' }, 'padding', /but for do_not_pad/],
    [{ encoding_type: 'int4' }, 'encoding_type', /int8/],
    [{ encoding_type: 'binary', output_dtype: 'binary' }, 'encoding_type', /Only one of/],
    [{ input: undefined, messages: [{ role: 'user', content: 'a' }] }, 'messages', /input holds the texts/],
    [{ endianness: 'big' }, 'endianness', /not served, but for little/],
    [{ use_activation: false }, 'use_activation', /not served/],
    [{ activation: false }, 'activation', /normalize chooses/],
    [{ embd_normalize: -1 }, 'embd_normalize', /normalize chooses/],
    [{ truncation_direction: 'Left' }, 'truncation_direction', /at the start; the model cuts/],
    [{ truncate: 'END', truncation_side: 'left' }, 'truncation_side', /at the start/],
    [{ max_tokens: 8 }, 'max_tokens', /not served/],
    [{ max_length: 8 }, 'max_length', /not served/],
    [{ dimension: 4 }, 'dimension', /dimensions cuts/],
    [{ dimensionality: 4 }, 'dimensionality', /dimensions cuts/],
    [{ truncate_dim: 4 }, 'truncate_dim', /dimensions cuts/],
    [{ prompt_template: 'a {input}' }, 'prompt_template', /prompt puts a text/],
    [{ return_logits: [1] }, 'return_logits', /every text has its vector/],
    [{ output_dimensionality: 4 }, 'output_dimensionality', /dimensions cuts/],
    [{ long_text_mode: 'mean' }, 'long_text_mode', /but for truncate/],
    [{ text_type: 'query' }, 'text_type', /input_type chooses/],
    [{ instruction: 'Find the cat.' }, 'instruction', /prompt puts a text/],
    [{ instruct: 'Find the cat.' }, 'instruct', /prompt puts a text/],
    [{ output_type: 'dense&sparse' }, 'output_type', /one dense vector/],
    [{ return_sparse: true }, 'return_sparse', /one dense vector/],
  ])('is refused by its field: %j', async (more, param, message) => {
    const { status, body } = await responseOf<OpenAiError>('/v1/embeddings', {
      model: 'default',
      input: 'a',
      ...more,
    });
    expect([status, body.error.param]).toEqual([400, param]);
    expect(body.error.message).toMatch(message);
  });

  it('is refused by its field also where that has megabytes', async () => {
    const modality = `text${',text'.repeat(3_000_000)}`;
    const more = { model: 'default', input: 'a', modality };
    const { status, body } = await responseOf<OpenAiError>('/v1/embeddings', more);
    expect([status, body.error.param]).toEqual([400, 'modality']);
  });
});

describe("Cohere's POST /v2/embed", () => {
  const ask = <Body>(more: object) =>
    responseOf<Body>('/v2/embed', {
      model: 'default',
      texts: ['a cat', 'a dog'],
      input_type: 'search_document',
      ...more,
    });

  it('gives several types at once', async () => {
    const types = ['float', 'int8', 'binary', 'base64'];
    const { body } = await ask<{ embeddings: Record<string, number[][]> }>({ embedding_types: types });
    expect(Object.keys(body.embeddings)).toEqual(types);
    expect(body.embeddings['float']?.[0]).toEqual(await vectorOf({ prompt_name: 'document' }));
    expect(body.embeddings['int8']?.[1]).toHaveLength(8);
    expect(body.embeddings['binary']?.[1]).toHaveLength(1);
    const meta = { billed_units: { input_tokens: expect.any(Number) } };
    expect(body).toMatchObject({ texts: ['a cat', 'a dog'], meta });
  });

  it.each([
    [{ texts: [] }, 400],
    [{ texts: ['a', 3] }, 400],
    [{ model: 'another' }, 404],
    [{ truncate: 'START' }, 400],
    [{ texts: ['word '.repeat(100)], truncate: 'NONE' }, 400],
    [{ embedding_types: ['float', 'int2'] }, 400],
    [{ images: ['data:image/png;base64,AA=='] }, 400],
    [{ max_tokens: 4 }, 400],
  ])('refuses %j in its own shape', async (more, wanted) => {
    const { status, body } = await ask<{ message: string }>(more);
    expect([status, Object.keys(body)]).toEqual([wanted, ['message']]);
  });

  it.each(['images', 'inputs'])('names what it does not take in the place of texts: %s', async (field) => {
    const { status, body } = await ask<{ message: string }>({ texts: undefined, [field]: ['a'] });
    expect([status, body.message]).toEqual([400, `'${field}' are not served, only texts.`]);
  });

  it('has no ranking', async () => {
    const { status, body } = await responseOf<{ message: string }>('/v2/rerank', {
      model: 'default',
      query: 'a cat',
      documents: ['a dog'],
    });
    expect([status, body.message]).toEqual([400, expect.stringContaining('cross-encoder')]);
  });
});

describe("text-embeddings-inference's", () => {
  it('/embed gives the vectors as lists', async () => {
    const { body } = await responseOf<number[][]>('/embed', { inputs: ['a cat', 'a dog'] });
    expect(body).toHaveLength(2);
    expect(Math.hypot(...(body[0] ?? []))).toBeCloseTo(1, 5);
    const { body: one } = await responseOf<number[][]>('/embed', {
      inputs: 'a cat',
      prompt_name: 'document',
      dimensions: 4,
    });
    expect(one).toEqual([await vectorOf({ input_type: 'document', dimensions: 4 })]);
    const { body: plain } = await responseOf<number[][]>('/embed', {
      inputs: 'a cat',
      dimensions: 4,
      normalize: false,
    });
    expect(plain[0]).toEqual((await vectorOf({})).slice(0, 4));
  });

  /** As the model pools: the mean, scaled to length 1. */
  const pooled = (tokens: readonly number[][]) => {
    const mean = (tokens[0] ?? []).map((_, at) => tokens.reduce((sum, token) => sum + (token[at] ?? 0), 0));
    return mean.map((value) => value / Math.hypot(...mean));
  };

  it('/ is /embed: there clients of Hugging Face post', async () => {
    const [there, here] = [
      await responseOf('/', { inputs: 'a cat', parameters: {}, options: { wait_for_model: true } }),
      await responseOf('/embed', { inputs: 'a cat' }),
    ];
    expect([there.status, there.body]).toEqual([200, here.body]);
  });

  it('/embed_all has the vectors of all tokens, special ones and those of the prompt included', async () => {
    const inputs = ['a cat', 'the quick brown fox', 'word '.repeat(100)];
    const { headers, body } = await responseOf<number[][][]>('/embed_all', { inputs });
    const whole = (await responseOf<number[][]>('/embed', { inputs })).body;
    for (const [index, tokens] of body.entries())
      pooled(tokens).forEach((value, at) => expect(value).toBeCloseTo(whole[index]?.[at] as number, 5));
    expect(body.map((tokens) => tokens.length)).toEqual([expect.any(Number), expect.any(Number), 32]);
    expect(headers.get('x-morgan-truncated')).toBe('1');
    const alone = await responseOf<number[][][]>('/embed_all', { inputs: inputs[0] });
    const unprompted = await responseOf<{ special: boolean }[][]>('/tokenize', {
      inputs: inputs[0],
      prompt_name: 'query',
    });
    expect(alone.body[0]).toHaveLength(unprompted.body[0]?.length as number);
    alone.body[0]?.flat().forEach((value, at) => expect(value).toBeCloseTo(body[0]?.flat()[at] as number, 5));
  });

  it('/embed_all takes its turn beside calls for vectors of texts', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => `text ${index}`);
    const [all, whole] = await Promise.all([
      responseOf<number[][][]>('/embed_all', { inputs: texts }),
      responseOf<number[][]>('/embed', { inputs: texts }),
    ]);
    const last = pooled(all.body[599] as number[][]);
    last.forEach((value, at) => expect(value).toBeCloseTo(whole.body[599]?.[at] as number, 5));
  });

  it('/similarity is one number for every sentence', async () => {
    const inputs = { source_sentence: 'a cat', sentences: ['a cat', 'something else'] };
    const { body } = await responseOf<number[]>('/similarity', { inputs });
    expect(body).toEqual([expect.closeTo(1, 5), expect.any(Number)]);
    expect(body[1]).toBeLessThan(1);
  });

  it('/tokenize lists the tokens of texts, uncut, where they stand in characters', async () => {
    interface Token {
      readonly id: number;
      readonly text: string;
      readonly special: boolean;
      readonly start: number | null;
      readonly stop: number | null;
    }
    const { body } = await responseOf<Token[][]>('/tokenize', { inputs: ['👩 the fox', 'word '.repeat(40)] });
    const [first = [], second = []] = body;
    expect(first[0]).toEqual({ id: 2, text: '[CLS]', special: true, start: null, stop: null });
    expect(first.at(-1)).toMatchObject({ text: '[SEP]', special: true });
    const the = first.find(({ text }) => text === 'the');
    expect(the).toMatchObject({ special: false, start: 2, stop: 5 });
    // More than the 32 that the model takes.
    expect(second.length).toBeGreaterThan(42);
    const plain = await responseOf<Token[][]>('/tokenize', { inputs: 'the fox', add_special_tokens: false });
    expect(plain.body[0]?.some(({ special }) => special)).toBe(false);
    const prompted = await responseOf<Token[][]>('/tokenize', { inputs: 'the fox', prompt_name: 'query' });
    expect(prompted.body[0]?.[1]?.text.startsWith('q')).toBe(true);
  });

  it('/tokenize keeps the order of many texts, and its ids are those that are embedded', async () => {
    const inputs = Array.from({ length: 2_000 }, (_, index) => `${'the fox '.repeat(12)}${index}`);
    const { body } = await responseOf<{ id: number; special: boolean }[][]>('/tokenize', { inputs });
    expect(body).toHaveLength(2_000);
    const ids = (body[1_234] ?? []).map(({ id }) => id);
    expect(await vectorOf({}, [ids])).toEqual(await vectorOf({ prompt: '' }, inputs[1_234]));
  });

  it('/tokenize lists a bounded number of tokens in one call', async () => {
    const inputs = new Array<string>(20).fill('a '.repeat(16_000));
    const answer = await responseOf('/tokenize', { inputs });
    const error = expect.stringContaining('more than 262144 tokens together');
    expect([answer.status, answer.body]).toEqual([413, { error, error_type: 'Validation' }]);
    expect((await responseOf<unknown[]>('/tokenize', { inputs: inputs.slice(0, 2) })).body).toHaveLength(2);
  });

  it('/embed says with its own status that a deadline has passed', async () => {
    const answer = await responseOf('/embed', { inputs: 'too late' }, { 'x-morgan-deadline-ms': '0' });
    expect([answer.status, answer.body]).toEqual([504, { error: expect.any(String), error_type: 'Backend' }]);
  });

  it('/info has the limits', async () => {
    expect(await (await fetch(`${url}/info`)).json()).toMatchObject({
      model_id: 'bert-prompts',
      model_sha: expect.stringMatching(/^[\da-f]{64}$/) as unknown as string,
      model_dtype: 'fp32',
      model_type: { embedding: { pooling: 'mean' } },
      max_input_length: 32,
    });
  });

  it.each<[string, object, number, string]>([
    ['/embed', {}, 422, 'Validation'],
    ['/embed', { inputs: [] }, 400, 'Empty'],
    ['/embed', { inputs: 'word '.repeat(100), truncate: false }, 413, 'Validation'],
    ['/embed', { inputs: new Array<string>(2_049).fill('a') }, 413, 'Validation'],
    ['/embed', { inputs: [[1e9]] }, 422, 'Tokenizer'],
    ['/embed', { inputs: 'a', prompt_name: 'haiku' }, 422, 'Validation'],
    ['/embed', { inputs: 'a', truncation_direction: 'Left' }, 422, 'Validation'],
    [
      '/similarity',
      { inputs: { source_sentence: 'a', sentences: ['b'] }, parameters: { truncation_direction: 'left' } },
      422,
      'Validation',
    ],
    ['/similarity', { inputs: { source_sentence: 'a' } }, 422, 'Validation'],
    ['/tokenize', { inputs: [] }, 400, 'Empty'],
    ['/tokenize', { inputs: [7] }, 422, 'Validation'],
    ['/tokenize', { inputs: ['a', 'word '.repeat(20_000)] }, 422, 'Validation'],
    ['/tokenize', { inputs: new Array<string>(2_048).fill('a') }, 413, 'Validation'],
    ['/embed_all', { inputs: [] }, 400, 'Empty'],
    ['/embed_all', { inputs: 'word '.repeat(100), truncate: false }, 413, 'Validation'],
    ['/embed_all', { inputs: 'a', truncation_direction: 'left' }, 422, 'Validation'],
    ['/embed_all', { inputs: 'a', prompt_name: 'haiku' }, 422, 'Validation'],
    ['/embed_all', { inputs: [[1e9]] }, 422, 'Tokenizer'],
    ['/rerank', { query: 'a', texts: ['b'] }, 424, 'Backend'],
    ['/tokenize', { inputs: 'a', model: 'another' }, 404, 'Validation'],
    ['/embed_all', { inputs: 'a', model: 'another' }, 404, 'Validation'],
  ])('%s refuses what it does not serve: %#', async (path, body, status, error_type) => {
    const answer = await responseOf(path, body);
    expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String), error_type }]);
  });
});

describe('an error in front of a call', () => {
  const ask = async (method: string, path: string, type: string, body: string | null) => {
    const response = await fetch(url + path, { method, body, headers: { 'content-type': type } });
    return [response.status, await response.json()];
  };
  const JSON_TYPE = 'application/json';
  const openAi = (code: string) => ({ error: { code, message: expect.any(String) } });
  const tei = { error: expect.any(String), error_type: expect.any(String) };
  const cohere = { message: expect.any(String) };

  it.each<[string, string, string, string | null, number, object]>([
    ['POST', '/embed', JSON_TYPE, '{"inputs":', 400, tei],
    ['POST', '//tokenize/?a=1', 'text/plain', '{}', 415, tei],
    ['PUT', '/rerank', JSON_TYPE, null, 405, tei],
    ['POST', '/v2/embed', JSON_TYPE, '[', 400, cohere],
    ['POST', '/v1/rerank', 'text/plain', '{}', 415, cohere],
    ['POST', '/v2/chat', JSON_TYPE, '{}', 404, cohere],
    ['POST', '/v1/embeddings', JSON_TYPE, '{', 400, openAi('invalid_json')],
  ])('has the shape of the protocol of its path: %s %s', async (method, path, type, body, status, shape) => {
    const [answered, said] = await ask(method, path, type, body);
    expect([answered, said]).toMatchObject([status, shape]);
    if (shape !== tei && shape !== cohere) return;
    expect(Object.keys(said as object)).toEqual(Object.keys(shape));
  });

  it.each([
    ['/v1/chat/completions', 'llm-service has such paths'],
    ['/v1/responses', 'llm-service has such paths'],
    ['/v1/score', 'There are /v1/rerank'],
    ['/v1beta/models/default:embedContent', "Gemini's own API is not offered"],
    ['/openai/v1/embeddings', 'There is /v1/embeddings.'],
  ])('says where it could be asked instead: %s', async (path, hint) => {
    expect(await ask('POST', path, JSON_TYPE, '{}')).toMatchObject([
      404,
      { error: { code: 'unknown_url', message: expect.stringContaining(hint) } },
    ]);
  });
});

describe('POST /v1/similarity', () => {
  const LONG = 'word '.repeat(100);
  interface Similarities {
    readonly data: readonly { readonly similarity: number }[];
  }
  const ask = async (body: object) => {
    const answer = await responseOf<Similarities>('/v1/similarity', body);
    return answer.body.data.map(({ similarity }) => similarity);
  };

  it('compares one with many, and pairs, each different text once', async () => {
    const many = await ask({ source: 'a cat', targets: ['a cat', 'a dog', 'a cat'] });
    const pairs = await ask({
      pairs: [
        ['a cat', 'a cat'],
        ['a dog', 'a cat'],
      ],
    });
    expect(many[0]).toBeCloseTo(1, 5);
    expect(many[2]).toBe(many[0]);
    expect(pairs[1]).toBeCloseTo(many[1] as number, 6);
  });

  it('has three measures that agree for vectors of length 1', async () => {
    const of = async (metric: string) =>
      (await ask({ source: 'a cat', targets: ['a dog'], metric }))[0] as number;
    const cosine = await of('cosine');
    expect(await of('dot')).toBeCloseTo(cosine, 5);
    expect(await of('euclidean')).toBeCloseTo(Math.sqrt(2 - 2 * cosine), 3);
  });

  it.each([
    [{}, 'source'],
    [{ source: 'a' }, 'targets'],
    [{ source: 'a', targets: [] }, 'targets'],
    [{ source: 'a', targets: ['b', ''] }, 'targets[1]'],
    [{ source: 'a', targets: new Array<string>(2_048).fill('b') }, 'targets'],
    [{ pairs: [['a', 'b'], ['a']] }, 'pairs[1]'],
    [{ source: 'a', pairs: [['a', 'b']] }, 'pairs'],
    [{ source: 'a', targets: ['b'], metric: 'jaccard' }, 'metric'],
    [{ source: LONG, targets: ['b'], truncate: false }, 'source'],
    [{ source: 'a', targets: ['b', 'b', LONG], truncate: false }, 'targets[2]'],
    [
      {
        pairs: [
          ['a', 'a'],
          ['b', LONG],
        ],
        truncate: false,
      },
      'pairs[1][1]',
    ],
    [{ source: 'a', targets: ['b'], dimensions: 4 }, 'dimensions'],
    [{ source: 'a', targets: ['b'], truncation_side: 'left' }, 'truncation_side'],
    [{ source: 'a', targets: ['b'], truncation_direction: 'Left' }, 'truncation_direction'],
  ])('refuses by its field: %#', async (body, param) => {
    const answer = await responseOf<OpenAiError>('/v1/similarity', body);
    expect([answer.status, answer.body.error.param]).toEqual([400, param]);
  });
});

describe('clients of the field, unchanged', () => {
  it('openai, with prompts and dimensions', async () => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
    const asked = {
      model: 'default',
      input: ['a cat', 'a dog'],
      dimensions: 4,
      input_type: 'search_document',
    };
    const { data } = await client.embeddings.create(asked);
    expect(data.map(({ embedding }) => embedding.length)).toEqual([4, 4]);
    const expected = await vectorOf({ prompt_name: 'document', dimensions: 4 });
    data[0]?.embedding.forEach((value, index) => expect(value).toBeCloseTo(expected[index] as number, 6));
    const refused = client.embeddings.create({ ...asked, dimensions: 5 });
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'dimensions' });
  });

  it('@langchain/openai', async () => {
    const embeddings = new OpenAIEmbeddings({
      model: 'bert-prompts',
      apiKey: 'any',
      batchSize: 2,
      configuration: { baseURL: `${url}/v1` },
    });
    const [one, two, three] = await embeddings.embedDocuments(['a cat', 'a dog', 'a bird']);
    expect([one?.length, two?.length, three?.length]).toEqual([8, 8, 8]);
    const expected = await vectorOf({});
    (await embeddings.embedQuery('a cat')).forEach((value, index) =>
      expect(value).toBeCloseTo(expected[index] as number, 6),
    );
  });
});
