import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppError } from '@morgan/foundation';
import { EmbeddingHost, goodResponse, type HostRequest } from '../../fixture/embedding-host.ts';
import { embed, TwoHosts } from '../../fixture/two-hosts.ts';
import { RemoteEmbeddingModel } from './remote-embedding-model.ts';

let two: TwoHosts;
let first: EmbeddingHost;
let second: EmbeddingHost;
let hosts: string[];

beforeEach(async () => {
  two = await TwoHosts.start();
  ({ first, second, hosts } = two);
});
afterEach(() => two[Symbol.asyncDispose]());

const modelOf = (more: object = {}) => two.modelOf({ hosts, ...more });

const failureOf = (call: Promise<unknown>) => call.then(String, (error: unknown) => error as AppError);
const states = (model: RemoteEmbeddingModel) =>
  model.getStatus().hosts.map(({ circuitBreaker: { state } }) => state);

describe('an error with status 200', () => {
  it.each<[string, object, string, RegExp]>([
    [
      'a spent account',
      { error: { type: 'insufficient_quota', message: 'You exceeded your current quota' } },
      'host_rejected_credentials',
      /insufficient_quota/,
    ],
    [
      'a key',
      { detail: 'Invalid API key provided' },
      'host_rejected_credentials',
      /answered 200 with an error of 401\.$/,
    ],
    [
      'a model, as vLLM says it',
      { object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', code: 404 },
      'host_error',
      /answered 200 with an error of 404 \(NotFoundError\)\.$/,
    ],
    ['a model, in a list', [{ error: { code: 404, message: 'models/m is not found' } }], 'host_error', /404/],
  ])('is a refusal that no second attempt changes: %s', async (_, body, code, message) => {
    first.respond = () => ({ body });
    const model = modelOf();
    for (let time = 0; time < 12; time += 1) expect(await embed(model, ['abc'])).toHaveLength(1);
    expect([first.requests.length, second.requests.length]).toEqual([5, 12]);
    expect(states(model)).toEqual(['OPEN', 'CLOSED']);
    const alone = modelOf({ hosts: hosts.slice(0, 1) });
    expect(await failureOf(embed(alone, ['abc']))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(first.requests).toHaveLength(6);
  });

  it.each<[string, object, string]>([
    ['load', { error: { message: 'The server is overloaded, try again in 40s.' } }, 'no_host_available'],
    ['a limit', { code: 429, message: 'Too many requests. Try again in 40s.', data: null }, 'rate_limited'],
    [
      'a start',
      { object: 'error', message: 'Model m is currently loading', estimated_time: 40 },
      'no_host_available',
    ],
  ])('has its host left alone for as long as it asks: %s', async (_, body, code) => {
    first.respond = () => ({ body });
    const model = modelOf();
    for (let time = 0; time < 8; time += 1) expect(await embed(model, ['abc'])).toHaveLength(1);
    expect([first.requests.length, second.requests.length]).toEqual([1, 8]);
    expect(states(model)).toEqual(['CLOSED', 'CLOSED']);
    second.respond = () => ({ body });
    const error = await failureOf(embed(modelOf(), ['abc']));
    expect(error).toMatchObject({ code, retryAfterMs: 40_000 });
  });

  it.each([200, 429])(
    'spends what its host may be asked at once where it is a limit without a time: %i',
    async (status) => {
      first.respond = () => ({ status, body: { error: { code: 429, message: 'Rate limit reached.' } } });
      const model = modelOf({ requestsPerSecond: 0.01, burst: 10 });
      for (let time = 0; time < 3; time += 1) await embed(model, ['abc']);
      expect([first.requests.length, second.requests.length]).toEqual([1, 3]);
    },
  );

  it.each<[string, object]>([
    ['too long', { error: { message: "This model's maximum context length is 512 tokens", code: 400 } }],
    ['flagged', { error: { message: 'The input was flagged.' } }],
    ['quoted', { error: { code: 400, message: "Cannot embed 'bad: API key expired, server busy'" } }],
  ])('is about the caller where it names the inputs: %s', async (_, body) => {
    const bad = 'bad: API key expired, server busy';
    first.respond = (request: HostRequest) => ({
      body: request.input.includes(bad) ? body : goodResponse(request),
    });
    const model = modelOf();
    for (let time = 0; time < 6; time += 1)
      expect(await failureOf(embed(model, ['abc', bad]))).toMatchObject({
        code: 'invalid_value',
        param: 'input[1]',
      });
    expect([second.requests.length, ...states(model)]).toEqual([0, 'CLOSED', 'CLOSED']);
  });

  it('is about the words of the host, not about those of the input that it quotes', async () => {
    const input = 'the API key expired';
    for (const host of [first, second])
      host.respond = () => ({ body: { error: { message: `CUDA error at '${input}'` } } });
    expect(await failureOf(embed(modelOf(), [input]))).toMatchObject({ code: 'host_error' });
  });

  it.each([{ error: { message: 'CUDA error' } }, { error: 'engine died' }, { status: 'queued' }])(
    'without a status, and with words that say none, is a fault of its host: %j',
    async (body) => {
      first.respond = () => ({ body });
      expect(await embed(modelOf(), ['abc'])).toHaveLength(1);
      second.respond = first.respond;
      expect(await failureOf(embed(modelOf(), ['abc']))).toMatchObject({ code: 'host_error', status: 502 });
    },
  );
});
