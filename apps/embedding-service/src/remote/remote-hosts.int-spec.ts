import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AppError, Deadline } from '@morgan/foundation';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import {
  EmbeddingHost,
  goodResponse,
  type HostRequest,
  type HostResponse,
} from '../../fixture/embedding-host.ts';
import { embed, TwoHosts } from '../../fixture/two-hosts.ts';
import { RemoteEmbeddingModel } from './remote-embedding-model.ts';

const good = (request: HostRequest): HostResponse => ({ body: goodResponse(request) });
const always = (answer: HostResponse) => () => answer;
const said400 = (message: string): HostResponse => ({ status: 400, body: { error: { message } } });

let two: TwoHosts;
let first: EmbeddingHost;
let second: EmbeddingHost;
let hosts: string[];
let warnings: string[];

beforeEach(async () => {
  two = await TwoHosts.start();
  ({ first, second, hosts, warnings } = two);
});
afterEach(() => {
  jest.useRealTimers();
  return two[Symbol.asyncDispose]();
});

const modelOf = (more: object = {}) => two.modelOf({ hosts, ...more });

async function embedTimes(times: number, model: RemoteEmbeddingModel) {
  for (let time = 0; time < times; time += 1) await embed(model, ['abc']);
}

const states = (model: RemoteEmbeddingModel) =>
  model.getStatus().hosts.map(({ circuitBreaker: { state } }) => state);

describe('hosts of which some scale their vectors to length 1', () => {
  const THREE = ['abc', 'bcd', 'cde'];
  /** Answers with vectors of such a length. */
  const long = (length: number) => (request: HostRequest) => ({
    body: { data: request.input.map(() => ({ embedding: [0.6 * length, 0.8 * length] })) },
  });
  const lengthFrom = async (model: RemoteEmbeddingModel, inputs = THREE) => {
    const [item] = await embed(model, inputs);
    return Math.hypot(...(item?.vector ?? []));
  };
  const failed = always({ status: 500, body: {} });

  it.each([
    [1, 5],
    [5, 1],
  ])('do as the first one does: %d, not %d', async (one, other) => {
    first.respond = long(one);
    second.respond = long(other);
    const model = modelOf();
    await lengthFrom(model);
    first.respond = failed;
    await expect(embed(model, THREE)).rejects.toMatchObject({
      code: 'host_error',
      message: expect.stringMatching(/embedding-host-2.*embedding-host-1.*length 1/),
    });
    second.respond = long(one);
    expect(await lengthFrom(model)).toBeCloseTo(one, 5);
  });

  it('are not taken for such by one vector whose length is 1 by chance', async () => {
    first.respond = long(1);
    second.respond = long(5);
    const model = modelOf();
    await lengthFrom(model, ['abc']);
    first.respond = failed;
    expect(await lengthFrom(model)).toBeCloseTo(5, 5);
  });
});

describe('a host that is of no use until somebody mends its settings', () => {
  it.each<[string, HostResponse]>([
    ['an expired key', { status: 401, body: { error: { code: 'invalid_api_key' } } }],
    ['an account without money', { status: 402, body: {} }],
    ['a key that may not do this', { status: 403, body: { error: { message: 'not allowed' } } }],
    ['a model that is not loaded', { status: 404, body: { error: { code: 'model_not_found' } } }],
    ['an account that is used up', { status: 429, body: { error: { type: 'insufficient_quota' } } }],
    [
      'a key, as Google says it',
      {
        status: 400,
        body: [
          {
            error: {
              code: 400,
              message: 'API key not valid. Please pass a valid API key.',
              status: 'INVALID_ARGUMENT',
            },
          },
        ],
      },
    ],
    [
      'a model, as Mistral says it',
      { status: 400, body: { message: 'Invalid model: x', type: 'invalid_model', code: '1500' } },
    ],
    [
      'a model, as Voyage says it',
      { status: 400, body: { detail: 'Model x is not supported. Supported models are y.' } },
    ],
    [
      'a model for other things',
      {
        status: 400,
        body: { error: { message: 'The embeddings operation does not work with the specified model' } },
      },
    ],
    [
      'a model for other things, as SGLang says it',
      {
        status: 400,
        body: {
          message:
            'This model does not appear to be an embedding model by default. Please add `--is-embedding`',
          type: 'BadRequestError',
        },
      },
    ],
    [
      'one, as Infinity says it',
      {
        status: 400,
        body: {
          error: { message: 'ModelNotDeployedError: model=`a/b-v1.5` does not support `embed`.', code: 400 },
        },
      },
    ],
    ['a model that is no more', said400('The model m has been decommissioned, see the docs')],
    ['an account that is spent, in a 400', said400('Your credit balance is too low to access the API.')],
    [
      'a model that does not fit, in a 500',
      {
        status: 500,
        body: { error: 'model requires more system memory (5.6 GiB) than is available (2.1 GiB)' },
      },
    ],
    ['one, as Ollama says it', { status: 400, body: { error: '"llama3.2" does not support embed' } }],
    [
      'a model, as Bedrock says it',
      { status: 400, body: { message: 'The provided model identifier is invalid.' } },
    ],
    [
      'a model, as Zhipu says it',
      { status: 400, body: { error: { code: '1211', message: '模型不存在，请检查模型代码。' } } },
    ],
    [
      'a field that NVIDIA wants besides',
      {
        status: 400,
        body: {
          message: "'input_type' parameter is required for asymmetric models",
          type: 'invalid_request_error',
        },
      },
    ],
    [
      'a field that FastAPI misses',
      { status: 422, body: { detail: [{ type: 'missing', loc: ['body', 'task'], msg: 'Field required' }] } },
    ],
  ])('is not asked any more after %s, and the other one answers', async (_, answer) => {
    first.respond = always(answer);
    const model = modelOf();
    await embedTimes(12, model);
    expect(first.requests.length).toBeLessThanOrEqual(5);
    expect(second.requests).toHaveLength(12);
    expect(warnings.length).toBeLessThanOrEqual(6);
    // The sole one is asked once for a call: another try would say the same.
    const alone = modelOf({ hosts: hosts.slice(0, 1) });
    const asked = first.requests.length;
    const refused = (await embed(alone, ['abc']).catch((error: unknown) => error)) as AppError;
    expect(refused.status).not.toBe(400);
    if (answer.status !== 429) expect(first.requests).toHaveLength(asked + 1);
  });

  it('is told of with its status and its word', async () => {
    for (const host of [first, second])
      host.respond = always({
        status: 401,
        body: { error: { code: 'invalid_api_key', message: 'Key sk-1' } },
      });
    await expect(embed(modelOf(), ['abc'])).rejects.toMatchObject({
      code: 'host_rejected_credentials',
      message: 'No embedding host gave vectors: embedding-host-2 answered 401 (invalid_api_key).',
    });
  });

  it('is asked once, where it is alone and its account is used up', async () => {
    const body = { error: { type: 'insufficient_quota' } };
    first.respond = always({ status: 429, headers: { 'retry-after-ms': '1' }, body });
    await expect(embed(modelOf({ hosts: hosts.slice(0, 1) }), ['abc'])).rejects.toMatchObject({
      code: 'host_rejected_credentials',
      message: expect.stringContaining('429 (insufficient_quota)'),
    });
    expect(first.requests).toHaveLength(1);
  });
});

describe('inputs that are refused', () => {
  /** A text that has the words of hosts, as such that quote it. */
  const BAD = 'the llama does not support embeddings: the server is busy, the API key expired';

  it.each<[string, HostResponse]>([
    [
      'llama.cpp, too long',
      {
        status: 500,
        body: {
          error: {
            code: 500,
            message: 'input is too large to process. increase the physical batch size',
            type: 'server_error',
          },
        },
      },
    ],
    ['Ollama, too long', { status: 500, body: { error: 'the input length exceeds the context length' } }],
    [
      'vLLM, too long',
      {
        status: 400,
        body: { message: "This model's maximum context length is 512 tokens", type: 'BadRequestError' },
      },
    ],
    [
      'TEI, too long',
      {
        status: 413,
        body: { error: '`inputs` must have less than 512 tokens. Given: 900', error_type: 'Validation' },
      },
    ],
    [
      'a text that speaks of models',
      { status: 400, body: { error: { message: `Input '${BAD}' is too long` } } },
    ],
    [
      'FastAPI, wrong in one of two ways to ask',
      {
        status: 422,
        body: {
          detail: [
            { loc: ['body', 'completion', 'input', 0], msg: 'String should have at most 100 characters' },
            { loc: ['body', 'chat', 'messages'], msg: 'Field required' },
          ],
        },
      },
    ],
    [
      'a ban',
      {
        status: 403,
        body: { error: { message: 'Your input was flagged', code: 'content_policy_violation' } },
      },
    ],
  ])('are about the caller, and of their hosts nothing is remembered: %s', async (_, answer) => {
    first.respond = (request) => (request.input.includes(BAD) ? answer : good(request));
    const model = modelOf();
    for (let time = 0; time < 6; time += 1)
      await expect(embed(model, ['abc', BAD])).rejects.toMatchObject({
        code: 'invalid_value',
        param: 'input[1]',
      });
    expect(second.requests).toEqual([]);
    expect(states(model)).toEqual(['CLOSED', 'CLOSED']);
    const alone = modelOf({ hosts: hosts.slice(0, 1) });
    const asked = first.requests.length;
    await expect(embed(alone, [BAD])).rejects.toMatchObject({ code: 'invalid_value' });
    expect(first.requests).toHaveLength(asked + 1);
  });
});

describe('hosts that will answer later', () => {
  const loading = (seconds: number): HostResponse => ({
    status: 503,
    headers: { 'retry-after': `${seconds}` },
    body: { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
  });
  const full = (seconds: number): HostResponse => ({
    status: 429,
    headers: { 'retry-after': `${seconds}` },
    body: {},
  });

  it.each([
    ['loads', loading(40)],
    ['is full', full(40)],
    ['is full, in a 400', said400('ThrottlingException: Rate exceeded. Please try again in 40s.')],
    ['is busy, in a 400', { ...said400('The server is busy'), headers: { 'retry-after': '40' } }],
    ['says when it will be', { status: 503, body: { error: 'Model x is loading', estimated_time: 40 } }],
  ])('one that %s is not asked until then, and its circuit stays closed', async (_, answer) => {
    first.respond = always(answer);
    const model = modelOf();
    await Promise.all(Array.from({ length: 8 }, () => embed(model, ['abc'])));
    await embedTimes(3, model);
    expect(first.requests.length).toBeLessThanOrEqual(8);
    expect([second.requests.length, ...states(model)]).toEqual([11, 'CLOSED', 'CLOSED']);
  });

  it.each([
    [full(50), full(40), { status: 429, code: 'rate_limited', retryAfterMs: 40_000 }],
    [full(40), full(50), { status: 429, code: 'rate_limited', retryAfterMs: 40_000 }],
    [
      said400('Rate limit reached. Please try again in 40s.'),
      { status: 500, body: {} },
      { status: 429, code: 'rate_limited', retryAfterMs: 40_000 },
    ],
    [
      loading(40),
      { status: 500, body: {} },
      { status: 503, code: 'no_host_available', retryAfterMs: 40_000 },
    ],
    [
      loading(40),
      { status: 401, body: {} },
      { status: 503, message: expect.stringContaining('503 (unavailable_error)') },
    ],
  ])('callers learn the earliest time: %j, %j', async (one, other, error) => {
    first.respond = always(one);
    second.respond = always(other);
    await expect(embed(modelOf(), ['abc'])).rejects.toMatchObject(error);
  });

  const told = (error: object): HostResponse => ({ status: 429, body: [{ error }] });
  const plan = 'You exceeded your current quota, please check your plan and billing details.';
  it.each<[string, HostResponse, number]>([
    ['Google', told({ message: plan, details: [null, { retryDelay: '40s' }] }), 40_000],
    ['Google, in words', told({ message: `${plan} ${'. '.repeat(300)}Please retry in 34.07s.` }), 34_070],
    ['OpenAI', told({ message: 'Rate limit reached. Please try again in 1m0.5s. Visit us.' }), 60_500],
    ['Azure', told({ message: 'Too many tokens. Please retry after 6 seconds.' }), 6_000],
    ['GitHub', told({ message: 'Limit exceeded. Please wait 55 seconds before retrying.' }), 55_000],
    ['Django', { status: 429, body: { detail: 'Throttled. Expected available in 15 seconds.' } }, 15_000],
  ])('one that says so in its answer, as %s does, is not asked until then', async (_, answer, waitMs) => {
    first.respond = always(answer);
    const model = modelOf();
    await embedTimes(3, model);
    expect([first.requests.length, second.requests.length]).toEqual([1, 3]);
    expect(states(model)).toEqual(['CLOSED', 'CLOSED']);
    second.respond = always(answer);
    await expect(embed(modelOf(), ['abc'])).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: waitMs,
    });
  });

  it('asks first who has the shorter wait', async () => {
    first.respond = (request) => (first.requests.length > 1 ? good(request) : full(20));
    second.respond = (request) => (second.requests.length > 1 ? good(request) : full(1));
    const model = modelOf();
    await expect(embed(model, ['abc'])).rejects.toMatchObject({ code: 'rate_limited' });
    await embed(model, ['abc']);
    expect([first.requests.length, second.requests.length]).toEqual([1, 2]);
  });

  it('is asked again though it has said that it takes a year', async () => {
    const model = modelOf({ hosts: hosts.slice(0, 1), fallbackModel: 'same' });
    first.respond = always(full(31_536_000));
    await expect(embed(model, ['abc'])).rejects.toMatchObject({ code: 'rate_limited' });
    const { retryAfterMs } = await embed(model, ['abc']).then(
      () => ({ retryAfterMs: Infinity }),
      (error: { retryAfterMs: number }) => error,
    );
    expect(retryAfterMs).toBeLessThan(400_000);
  });
});

it('asks a host that failed again after seconds, as it may only have been started anew', async () => {
  for (const host of [first, second]) host.respond = always({ status: 500, body: {} });
  const model = modelOf();
  for (let time = 0; time < 5; time += 1) await expect(embed(model, [`abc${time}`])).rejects.toThrow();
  const error = await embed(model, ['abc']).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'no_host_available' });
  expect((error as AppError).retryAfterMs).toBeLessThanOrEqual(5_000);
});

describe('callers that give a host no time', () => {
  it('say nothing about it', async () => {
    for (const host of [first, second]) host.respond = () => undefined;
    const model = modelOf();
    for (let time = 0; time < 12; time += 1)
      await expect(embed(model, ['abc'], { deadline: Deadline.after(20) })).rejects.toMatchObject({
        code: 'deadline_exceeded',
      });
    expect(states(model)).toEqual(['CLOSED', 'CLOSED']);
    for (const host of [first, second]) host.respond = good;
    expect(await embed(model, ['abc'])).toHaveLength(1);
  });

  it('find out that it is frozen where they wait for longer than it ever took', async () => {
    jest.useFakeTimers(STOPPED_CLOCK);
    const model = modelOf();
    await embedTimes(3, model);
    first.respond = () => undefined;
    const caller = new AbortController();
    const leave = () => embed(model, ['abc'], { signal: caller.signal }).catch(() => undefined);
    const left = Promise.all(Array.from({ length: 5 }, leave));
    await waitFor(() => first.requests.length === 3 + 5, { what: 'all of them at the host' });
    jest.advanceTimersByTime(1_200);
    caller.abort();
    await left;
    expect(states(model)).toEqual(['OPEN', 'CLOSED']);
    expect(await embed(model, ['abc'])).toHaveLength(1);
    expect(second.requests).toHaveLength(1);
  });
});

describe('answers of all sizes', () => {
  it('takes the largest that the configuration can lead to', async () => {
    // As a host that indents writes it: above 64 MiB.
    const dimensions = 4_096;
    const values = Array.from({ length: dimensions }, (_, index) => (index + 1) / 3_000_000_007);
    first.respond = ({ input }) => ({
      body: JSON.stringify({ data: input.map((_, index) => ({ index, embedding: values })) }, undefined, 4),
    });
    const model = modelOf({ dimensions, batchSize: 512 });
    const items = await embed(
      model,
      Array.from({ length: 512 }, (_, index) => `text ${index}`),
    );
    expect(items.every(({ vector }) => vector[0] === Math.fround(values[0] as number))).toBe(true);
  });

  it('does not read what is far longer than any answer', async () => {
    first.respond = always({ body: `{"data":[${' '.repeat(8_000_000)}]}` });
    const items = await embed(modelOf(), ['abc']);
    expect([items[0]?.vector[0], warnings]).toEqual([3, ['an embedding host failed; the next one is tried']]);
  });
});

it('names the input without finite numbers though the other host is not there', async () => {
  first.respond = ({ input }) => ({
    body: {
      data: input.map((text, index) => ({ index, embedding: text === 'bad' ? [null, 1] : [text.length, 1] })),
    },
  });
  second.respond = always({ status: 500, body: {} });
  await expect(embed(modelOf(), ['abc', 'bad', 'ab'])).rejects.toMatchObject({
    code: 'vector_not_finite',
    param: 'input[1]',
  });
});

describe('an input for which a host has no numbers', () => {
  it.each<[string, HostResponse]>([
    ['null', { body: { data: [{ index: 0, embedding: [null, 1] }] } }],
    ['NaN in an answer that is no JSON then', { body: '{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}' }],
    [
      'the error of Ollama',
      {
        status: 500,
        body: { error: { message: 'failed to encode response: json: unsupported value: NaN' } },
      },
    ],
    [
      'that of Python',
      { status: 500, body: { detail: 'Out of range float values are not JSON compliant: nan' } },
    ],
  ])('is named, and the host serves all others: %s', async (_, answer) => {
    first.respond = ({ input, ...request }) =>
      input.includes('bad') ? answer : { body: goodResponse({ ...request, input }) };
    const model = modelOf({ hosts: hosts.slice(0, 1) });
    for (let time = 0; time < 6; time += 1)
      await expect(embed(model, ['bad'])).rejects.toMatchObject({
        code: 'vector_not_finite',
        param: 'input[0]',
      });
    expect(first.requests).toHaveLength(6);
    expect(states(model)).toEqual(['CLOSED']);
    expect(await embed(model, ['abc'])).toHaveLength(1);
  });

  it('is embedded by another host that has some', async () => {
    first.respond = always({ body: '{"data":[{"embedding":[1,-Infinity]}]}' });
    expect((await embed(modelOf(), ['abc']))[0]?.vector[0]).toBe(3);
    expect(second.requests).toHaveLength(1);
  });
});

it('a lone host that redirects is asked once for each call, and not at all when it has done so again and again', async () => {
  hosts = hosts.slice(0, 1);
  first.respond = always({ status: 308, headers: { location: 'http://127.0.0.1:9/' }, body: {} });
  const model = modelOf({ failureThreshold: 3 });
  for (let calls = 1; calls <= 3; calls += 1) {
    await expect(embed(model, ['abc'])).rejects.toMatchObject({
      code: 'host_error',
      message: expect.stringContaining('308'),
    });
    expect(first.requests).toHaveLength(calls);
  }
  expect(states(model)).toEqual(['OPEN']);
});

it.each([
  { status: 500, body: {} },
  { status: 400, body: '<html>400 Bad Request</html>' },
  { status: 403, body: '<html>403 Forbidden</html>' },
])(
  'an input at which a lone host fails shuts nobody else out, and a host that fails at all of them is left alone: %j',
  async (fault) => {
    first.respond = ({ input, ...request }) =>
      input.includes('bad') ? fault : { body: goodResponse({ ...request, input }) };
    const model = modelOf({ hosts: hosts.slice(0, 1), requestsPerSecond: 100, burst: 100 });
    const failAt = (...texts: string[]) =>
      Promise.all(texts.map((text) => expect(embed(model, [text])).rejects.toThrow()));
    await failAt('bad', 'bad', 'bad', 'bad', 'bad', 'bad');
    expect(first.requests.length).toBeGreaterThanOrEqual(6);
    expect(states(model)).toEqual(['CLOSED']);
    expect(await embed(model, ['abc'])).toHaveLength(1);
    first.respond = always(fault);
    await failAt('1', '2', '3', '4', '5');
    expect(states(model)).toEqual(['OPEN']);
  },
);
