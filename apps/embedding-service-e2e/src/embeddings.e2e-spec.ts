import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postJson, type RunningService, startService, waitFor } from '@morgan/testing';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';

const MODEL = 'universal-sentence-encoder-lite';

let service: RunningService;
let client: OpenAI;

beforeAll(async () => {
  service = await startService({ app: 'embedding-service' });
  client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: 'any', maxRetries: 0 });
});

afterAll(() => service.stop());

interface EmbeddingsBody {
  readonly data: readonly { embedding: number[] | string; index: number; truncated?: boolean }[];
  readonly model: string;
  readonly usage: { prompt_tokens: number; total_tokens: number };
}

const post = (body: object | string, headers: Record<string, string> = {}) =>
  postJson(`${service.url}/v1/embeddings`, body, headers);

const embed = async (body: object) => (await (await post(body)).json()) as EmbeddingsBody;
const vectors = async (body: object) =>
  (await embed(body)).data.map(({ embedding }) => embedding as number[]);
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

describe('embeddings, with the official client', () => {
  it('come with its default encoding', async () => {
    const { data, model, usage } = await client.embeddings.create({
      model: MODEL,
      input: ['cat', 'kitten', 'car'],
    });
    const [cat, kitten, car] = data.map(({ embedding }) => embedding) as [number[], number[], number[]];
    expect([cat.length, model, usage.prompt_tokens]).toEqual([512, MODEL, 3]);
    expect(dot(cat, kitten)).toBeCloseTo(0.7582, 4);
    expect(dot(cat, car)).toBeCloseTo(0.4833, 4);
  });

  it.each([{ input: 'x' }, { model: null, input: 'x' }])(
    'are those of the first model for %j',
    async (body) => {
      expect(await (await post(body)).json()).toMatchObject({ model: MODEL, data: [{ index: 0 }] });
    },
  );

  it('raise its typed errors', async () => {
    const unknown = client.embeddings.create({ model: 'another', input: 'x' });
    await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    const empty = client.embeddings.create({ model: 'default', input: [] });
    await expect(empty).rejects.toBeInstanceOf(BadRequestError);
  });

  it('list the one model', async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([MODEL]);
    expect((await client.models.retrieve(MODEL)).owned_by).toBe('morgan');
  });
});

describe('an embedding request', () => {
  it('takes a text, texts, token ids and lists of them', async () => {
    const [text] = await vectors({ model: 'default', input: 'hello world' });
    const [list] = await vectors({ model: 'default', input: ['hello world'] });
    const [ids] = await vectors({ model: 'default', input: [2002, 102, 311] });
    const [idLists] = await vectors({ model: 'default', input: [[2002, 102, 311]] });
    for (const same of [list, ids, idLists]) expect(dot(text ?? [], same ?? [])).toBeCloseTo(1, 5);
  });

  it('keeps the order of its inputs, repeated ones included, and counts tokens', async () => {
    const input = ['one', 'two words', 'one', 'something rather longer than that', 'one'];
    const { data, usage } = await embed({ model: 'default', input });
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(data[0]?.embedding).toEqual(data[2]?.embedding);
    expect(data[0]?.embedding).not.toEqual(data[1]?.embedding);
    const single = await Promise.all(input.map((text) => embed({ model: 'default', input: text })));
    expect(usage.prompt_tokens).toBe(single.reduce((sum, each) => sum + each.usage.prompt_tokens, 0));
    expect(usage.total_tokens).toBe(usage.prompt_tokens);
  });

  it('gives the same values as float and as base64 (little-endian float32)', async () => {
    const [floats] = await vectors({ model: 'default', input: 'both ways', encoding_format: 'float' });
    const { data } = await embed({ model: 'default', input: 'both ways', encoding_format: 'base64' });
    const bytes = Buffer.from(data[0]?.embedding as string, 'base64');
    expect(bytes.length).toBe(512 * 4);
    expect(Array.from({ length: 512 }, (_, index) => bytes.readFloatLE(index * 4))).toEqual(floats);
  });

  it('cuts dimensions and normalises again', async () => {
    const [full] = await vectors({ model: 'default', input: 'shorter please' });
    const [short] = await vectors({ model: 'default', input: 'shorter please', dimensions: 64 });
    expect(short).toHaveLength(64);
    expect(Math.hypot(...(short ?? []))).toBeCloseTo(1, 5);
    const scale = Math.hypot(...(full ?? []).slice(0, 64));
    short?.forEach((value, index) => expect(value).toBeCloseTo((full?.[index] ?? 9) / scale, 5));
  });

  it('is cut at the limit of the model, and every place says so', async () => {
    const long = 'word '.repeat(200);
    const response = await post({ model: 'default', input: ['fine', long, long] });
    const { data, usage } = (await response.json()) as EmbeddingsBody;
    expect(data.map(({ truncated }) => truncated)).toEqual([undefined, true, true]);
    expect(response.headers.get('x-morgan-truncated')).toBe('2');
    expect(usage.prompt_tokens).toBe(1 + 128 + 128);
    expect(await (await fetch(`${service.url}/metrics`)).text()).toMatch(
      /morgan_embedding_truncated_total{model="[^"]+"} [1-9]/,
    );
  });

  it('is refused instead where cutting is off, cached or not', async () => {
    const long = `${'another word '.repeat(100)}.`;
    for (let time = 0; time < 2; time += 1) {
      const response = await post({ model: 'default', input: ['fine', long], truncate: false });
      const { error } = (await response.json()) as {
        error: { message: string; code: string; param: string };
      };
      expect([response.status, error.code, error.param]).toEqual([
        400,
        'context_length_exceeded',
        'input[1]',
      ]);
      expect(error.message).toMatch(/has more than 128 tokens.*at most 128/);
      await post({ model: 'default', input: long });
    }
  });

  it('is answered from the cache the second time', async () => {
    const input = ['cached once', 'and for all'];
    const first = await embed({ model: 'default', input });
    const response = await post({ model: 'default', input }, { 'x-request-id': 'the-second-time' });
    expect(await response.json()).toEqual(first);
    const line = await waitFor(() => service.logs.find((each) => each['requestId'] === 'the-second-time'), {
      what: 'the request line',
    });
    expect(line).toMatchObject({ inputs: 2, cacheHits: 2 });
  });

  it('counts the different inputs that were in the cache, and not what it repeats itself', async () => {
    for (const [time, cacheHits] of [
      ['first', 0],
      ['second', 1],
    ] as const) {
      await post(
        { model: 'default', input: ['thrice', 'thrice', 'thrice'] },
        { 'x-request-id': `repeated-${time}` },
      );
      const line = await waitFor(
        () => service.logs.find((each) => each['requestId'] === `repeated-${time}`),
        { what: 'the request line' },
      );
      expect(line).toMatchObject({ inputs: 3, cacheHits });
    }
  });

  it('is batched with the others that come at the same time', async () => {
    const figure = async () => {
      const text = await (await fetch(`${service.url}/metrics`)).text();
      return Number(/morgan_embedding_batches_total{[^}]+} (\d+)/.exec(text)?.[1]);
    };
    const before = await figure();
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => post({ model: 'default', input: `one of many ${index}` })),
    );
    // Alone each of them would be a batch. How many arrive together is the scheduler's to say.
    expect((await figure()) - before).toBeLessThan(40);
  });

  it.each([
    ['no input', { model: 'default' }, 400, 'missing_required_parameter', 'input'],
    ['a model that is no name', { model: '', input: 'x' }, 400, 'empty_string', 'model'],
    ['an empty text', { model: 'default', input: '' }, 400, 'empty_string', 'input'],
    ['an empty text in a list', { model: 'default', input: ['a', ''] }, 400, 'empty_string', 'input[1]'],
    ['an empty list', { model: 'default', input: [] }, 400, 'empty_array', 'input'],
    ['a wrong type', { model: 'default', input: { text: 'x' } }, 400, 'invalid_type', 'input'],
    ['a mixed list', { model: 'default', input: ['a', 1] }, 400, 'invalid_type', 'input[1]'],
    [
      'too many inputs',
      { model: 'default', input: new Array(2049).fill('x') },
      400,
      'array_above_max_length',
      'input',
    ],
    [
      'a wrong encoding',
      { model: 'default', input: 'x', encoding_format: 'hex' },
      400,
      'invalid_value',
      'encoding_format',
    ],
    ['no dimensions', { model: 'default', input: 'x', dimensions: 0 }, 400, 'invalid_value', 'dimensions'],
    [
      'too many dimensions',
      { model: 'default', input: 'x', dimensions: 513 },
      400,
      'invalid_value',
      'dimensions',
    ],
    [
      'a token id beyond the vocabulary',
      { model: 'default', input: [1, 8002] },
      400,
      'invalid_token_id',
      'input[0]',
    ],
    ['an unknown model', { model: 'gpt', input: 'x' }, 404, 'model_not_found', 'model'],
  ])('is refused with %s', async (_, body, status, code, param) => {
    const response = await post(body);
    const { error } = (await response.json()) as { error: { code: string; param: string; type: string } };
    expect([response.status, error.code, error.param]).toEqual([status, code, param]);
    expect(error.type).toBe('invalid_request_error');
  });

  it('is refused when it is too large, malformed, or elsewhere', async () => {
    const code = async (response: Response) =>
      [response.status, ((await response.json()) as { error: { code: string } }).error.code] as const;
    expect(await code(await post({ model: 'default', input: 'x'.repeat(17_000_000) }))).toEqual([
      413,
      'request_too_large',
    ]);
    expect(await code(await post('{"input"'))).toEqual([400, 'invalid_json']);
    expect(await code(await fetch(`${service.url}/v1/embeddings`))).toEqual([405, 'method_not_allowed']);
    expect(await code(await fetch(`${service.url}/v1/embedding`))).toEqual([404, 'unknown_url']);
  });

  it('takes as many inputs as the API allows', async () => {
    const { data } = await embed({
      model: 'default',
      input: Array.from({ length: 2048 }, (_, index) => `n ${index}`),
    });
    expect(data).toHaveLength(2048);
  });
});

describe('a deadline', () => {
  const deadline = (ms: string) => ({ 'x-morgan-deadline-ms': ms });
  const code = async (response: Response) =>
    ((await response.json()) as { error: { code: string } }).error.code;
  const computed = async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return Number(/morgan_embedding_texts_total{[^}]+} (\d+)/.exec(text)?.[1]);
  };

  it('is kept, and what still waits then is never computed', async () => {
    const input = Array.from({ length: 2048 }, (_, index) => `${'rather many words '.repeat(30)}${index}`);
    const before = await computed();
    const startedAt = performance.now();
    const response = await post({ model: 'default', input }, deadline('200'));
    const tookMs = performance.now() - startedAt;
    expect([response.status, await code(response)]).toEqual([504, 'deadline_exceeded']);
    expect(tookMs).toBeGreaterThanOrEqual(150);
    // The queue is served in order: whatever was still in it would come before this one.
    expect((await post({ model: 'default', input: 'after the deadline' })).status).toBe(200);
    expect((await computed()) - before).toBeLessThan(1_000);
  });

  it('that has passed is an answer at once, and a broken one is none', async () => {
    const passed = await post({ model: 'default', input: 'too late' }, deadline('0'));
    expect([passed.status, await code(passed)]).toEqual([504, 'deadline_exceeded']);
    expect((await post({ model: 'default', input: 'in time' }, deadline('soon'))).status).toBe(200);
    expect((await post({ model: 'default', input: 'in time' }, deadline('60000'))).status).toBe(200);
  });
});
