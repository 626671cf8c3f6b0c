import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { postJson } from '@morgan/testing';
import { EmbeddingHost, goodResponse, type HostResponse } from '../../fixture/embedding-host.ts';
import { composeEmbeddingService } from '../compose.ts';
import { embeddingServiceConfig } from '../config/embedding-service.config.ts';
import { EmbeddingService } from '../embeddings/embedding.service.ts';
import { RemoteEmbeddingModel } from './remote-embedding-model.ts';
import { type RemoteConfig, remoteConfig } from './remote.config.ts';

const context = () => ({ id: 'test', signal: new AbortController().signal });
/** Of a vector of two values, and what is too much. */
const BYTES = Buffer.from(Float32Array.of(7, 0.5, 1).buffer);
const texts = (count: number) => Array.from({ length: count }, (_, index) => 'x'.repeat(index + 1));

let first: EmbeddingHost;
let second: EmbeddingHost;
let hosts: string[];
let service: EmbeddingService;

beforeEach(async () => {
  first = new EmbeddingHost();
  second = new EmbeddingHost();
  hosts = [await first.start(), await second.start()];
  service = build({});
  await service.start();
});
afterEach(async () => {
  await service.stop();
  await first.close();
  await second.close();
});

function build(more: Partial<RemoteConfig>): EmbeddingService {
  const config = remoteConfig.parse({ hosts, model: 'far-away', dimensions: 2, apiKey: 'secret', ...more });
  return new EmbeddingService({ model: new RemoteEmbeddingModel({ config, truncate: true }) });
}

const collect = (inputs: readonly (string | number[])[], truncate?: boolean) =>
  service.collect({ inputs, truncate }, context());

describe('the configuration', () => {
  it('has the numbers of the design as its defaults', () => {
    expect(remoteConfig.parse(undefined)).toMatchObject({
      maxConnections: 50,
      failureThreshold: 5,
      requestsPerSecond: 5,
      burst: 10,
      batchSize: 32,
      maxCharacters: 8_192,
    });
  });

  it('is refused where the backend is remote and something is not declared', () => {
    const env = { EMBEDDING_BACKEND: 'remote', EMBEDDING_REMOTE_MODEL: 'far-away' };
    const load = () => loadConfig(embeddingServiceConfig, { env });
    expect(load).toThrow(/remote\.hosts: is needed/);
    expect(load).toThrow(/remote\.dimensions: is needed/);
    expect(load).not.toThrow(/remote\.model/);
  });
});

describe('a remote model', () => {
  it('asks in batches of the size of the host, and puts the vectors in order', async () => {
    const { items, tokens } = await collect(texts(70));
    expect(items.map(({ vector }) => vector[0])).toEqual(texts(70).map(({ length }) => length));
    expect(first.requests.map(({ input }) => input.length).toSorted((a, b) => a - b)).toEqual([6, 32, 32]);
    expect(tokens).toBe(65 + 65 + 13);
    // Voyage refuses to hear of `encoding_format: float`.
    expect(first.requests[0]).toEqual({ model: 'far-away', input: expect.anything() });
    expect(new Set(first.keys)).toEqual(new Set(['Bearer secret']));
    expect(second.requests).toEqual([]);
  });

  it('cuts long texts, or refuses them where the caller says so', async () => {
    const long = 'y'.repeat(10_000);
    const { items } = await collect([long, 'short']);
    expect(items.map(({ truncated, vector }) => [truncated, vector[0]])).toEqual([
      [true, 8_192],
      [false, 5],
    ]);
    await expect(collect(['short', long], false)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'input[1]',
    });
  });

  it('cuts between two characters', async () => {
    const halves = `${'y'.repeat(8_191)}😀 and more`;
    await collect([halves, `${'y'.repeat(8_190)}😀 and more`]);
    expect(first.requests[0]?.input).toEqual(['y'.repeat(8_191), `${'y'.repeat(8_190)}😀`]);
  });

  it('puts a prompt of the caller in front, and passes token ids on', async () => {
    await service.collect({ inputs: ['a'], prompt: { prompt: 'query: ' } }, context());
    await collect([[5, 6]]);
    expect(first.requests.map(({ input }) => input)).toEqual([['query: a'], [[5, 6]]]);
  });

  it('is asked once: the second time it is the cache', async () => {
    await collect(['a']);
    const { results } = await collect(['a']);
    expect([results, first.requests.length]).toEqual([['memory'], 1]);
  });

  it.each<[string, HostResponse]>([
    ['an error', { status: 500, body: {} }],
    ['no such path', { status: 404, body: {} }],
    ['a refused key', { status: 401, body: {} }],
    ['something else than JSON', { body: '<html>' }],
    ['NaN, as Python writes it', { body: '{"data":[{"index":0,"embedding":[NaN,1]}]}' }],
    ['null for a value', { body: { data: [{ index: 0, embedding: [null, 1] }] } }],
    ['a value beyond float32', { body: { data: [{ index: 0, embedding: [1e300, 1] }] } }],
    ['zeros, as a host in trouble gives them', { body: { data: [{ index: 0, embedding: [0, -0] }] } }],
    ['another length', { body: { data: [{ index: 0, embedding: [1, 2, 3] }] } }],
    ['too few vectors', { body: { data: [] } }],
    ['a wrong index', { body: { data: [{ index: 1, embedding: [1, 2] }] } }],
    ['a text that is no bytes of a vector', { body: { data: [{ index: 0, embedding: 'none' }] } }],
    [
      'bytes beyond its values',
      { body: { data: [{ index: 0, embedding: BYTES.subarray(0, 9).toString('base64') }] } },
    ],
    [
      'base64 that is cut',
      { body: { data: [{ index: 0, embedding: BYTES.subarray(0, 8).toString('base64').slice(0, -2) }] } },
    ],
    [
      'base64 with something else in it',
      { body: { data: [{ index: 0, embedding: `${BYTES.subarray(0, 8).toString('base64')}\n` }] } },
    ],
    ['no list', { body: { data: 'x' } }],
    ['null', { body: 'null' }],
  ])('goes on to the next host after %s, and refuses where there is none', async (_, answer) => {
    first.respond = () => answer;
    const { items } = await collect(['abc']);
    expect([items[0]?.vector[0], second.requests.length]).toEqual([3, 1]);
    second.respond = () => answer;
    await expect(collect(['another'])).rejects.toMatchObject({
      code: expect.stringMatching(/^(host_error|vector_not_finite|host_rejected_credentials)$/),
    });
  });

  it.each([
    ['texts', ['0.5', '1']],
    ['lists', [[0.5], [1]]],
    ['flags', [true, false]],
    ['nothing', [{}, {}]],
  ])(
    'takes %s in the place of numbers for a fault of the host, and looks for no input at fault',
    async (_, embedding) => {
      first.respond = (request) => ({
        body: { data: (request.input as string[]).map((_text, index) => ({ index, embedding })) },
      });
      second.respond = first.respond;
      await expect(collect(['a', 'b', 'c', 'd'])).rejects.toMatchObject({
        code: 'host_error',
        message: 'The embedding host gave a vector that is no list of numbers.',
      });
      expect(new Set([...first.requests, ...second.requests].map(({ input }) => input.length))).toEqual(
        new Set([4]),
      );
    },
  );

  it('says that a host redirects, and takes no vectors of it', async () => {
    for (const host of [first, second])
      host.respond = (request) => ({
        status: 307,
        headers: { location: 'http://127.0.0.1:9/' },
        body: goodResponse(request),
      });
    await expect(collect(['abc'])).rejects.toMatchObject({
      code: 'host_error',
      message: 'The embedding host gave a redirect (307), which its base URL should be free of.',
    });
  });

  it.each<[string, object]>([
    ['bytes', { index: 0, embedding: Buffer.from(Float32Array.of(3, 0.5).buffer).toString('base64') }],
    ['numbers without a place', { index: null, embedding: [3, 0.5] }],
  ])('takes a vector as %s', async (_, element) => {
    first.respond = () => ({ body: { data: [element] } });
    const { items } = await collect(['a']);
    expect([...(items[0]?.vector ?? [])]).toEqual([3, 0.5]);
  });

  it('refuses vectors of another model than a host had before, until it has that again', async () => {
    const call = (model: string) => {
      first.respond = (request) => ({ body: { ...goodResponse(request), model } });
      second.respond = () => ({ status: 500, body: {} });
      return collect([`for ${model} and ${first.requests.length}`]);
    };
    await call('one');
    await expect(call('two')).rejects.toMatchObject({ code: 'host_error' });
    expect((await call('one')).items).toHaveLength(1);
  });

  it('refuses two vectors for one input', async () => {
    const twice = { index: 0, embedding: [1, 2] };
    for (const host of [first, second]) host.respond = () => ({ body: { data: [twice, twice] } });
    await expect(collect(['a', 'b'])).rejects.toMatchObject({ code: 'host_error' });
  });

  it('does not ask the next host about inputs that the first refused', async () => {
    first.respond = () => ({ status: 400, body: {} });
    await expect(collect(['a'])).rejects.toMatchObject({ code: 'invalid_value' });
    expect(second.requests).toEqual([]);
  });

  it.each([
    [{ param: 'model', code: '400' }],
    [{ param: null, code: 'model_not_found' }],
    [{ param: 'encoding_format', code: null }],
  ])('goes on to the next host where the first refuses something else than the inputs: %j', async (error) => {
    first.respond = () => ({ status: 400, body: { error } });
    const { items } = await collect(['abc']);
    expect([items[0]?.vector[0], first.requests.length]).toEqual([3, 1]);
    second.respond = first.respond;
    await expect(collect(['another'])).rejects.toMatchObject({ code: 'host_error', param: undefined });
  });

  it('asks the next host at once while the first rests, as it has said that it would', async () => {
    first.respond = () => ({ status: 429, headers: { 'retry-after': '5' }, body: {} });
    for (const text of ['a', 'b', 'c']) await collect([text]);
    expect([first.requests.length, second.requests.length]).toEqual([1, 3]);
  });

  it.each<[object, string]>([
    [{ error: { code: 'context_length_exceeded', message: 'a' } }, '400 (context_length_exceeded).'],
    [{ error: { code: null, type: 'BadRequestError' } }, '400 (BadRequestError).'],
    [{ error: 'some of a', error_type: 'Validation' }, '400 (Validation).'],
    [{ error: { code: 'not a word' } }, '400.'],
  ])('says the word for what a host refuses, and no sentence of it: %j', async (body, said) => {
    first.respond = () => ({ status: 400, body });
    const message = expect.stringContaining(`refused the inputs with ${said}`);
    await expect(collect(['a'])).rejects.toMatchObject({ code: 'invalid_value', message });
  });

  it('names the input that a host refuses', async () => {
    first.respond = (request) =>
      request.input.includes('bad') ? { status: 400, body: {} } : { body: goodResponse(request) };
    const inputs = texts(32).with(20, 'bad');
    await expect(collect(inputs)).rejects.toMatchObject({ code: 'invalid_value', param: 'input[20]' });
    expect(first.requests.length).toBeLessThanOrEqual(11);
    expect(second.requests).toEqual([]);
    // What they have given until then is not asked for again.
    await collect(inputs.filter((text) => text !== 'bad'));
    expect(first.requests.at(-1)?.input).toEqual(inputs.slice(21));
    // They were not too many.
    await collect(texts(32).map((text) => `${text}!`));
    expect(first.requests.at(-1)?.input).toHaveLength(32);
  });

  it('names the input for which hosts have no numbers, and keeps the vectors of the others', async () => {
    const values = (text: string | readonly number[]) => (text === 'bad' ? [null, 1] : [text.length, 1]);
    for (const host of [first, second])
      host.respond = ({ input }) => ({
        body: { data: input.map((text, index) => ({ index, embedding: values(text) })) },
      });
    const inputs = texts(32).with(20, 'bad');
    await expect(collect(inputs)).rejects.toMatchObject({ code: 'vector_not_finite', param: 'input[20]' });
    await collect(inputs.slice(0, 20));
    expect([first, second].map(({ requests }) => requests.at(-1)?.input)).toEqual([['bad'], ['bad']]);
    // It is about the input.
    expect(service.healthCheck().status).toBe('healthy');
  });

  it.each<HostResponse>([
    { status: 413, body: {} },
    { status: 413, body: '<html>413 Request Entity Too Large</html>' },
  ])('sends less at a time where a host takes less: %j', async (tooMuch) => {
    first.respond = (request) => (request.input.length > 10 ? tooMuch : { body: goodResponse(request) });
    const { items, tokens } = await collect(texts(32));
    expect(items.map(({ vector }) => vector[0])).toEqual(texts(32).map(({ length }) => length));
    expect([first.requests.map(({ input }) => input.length), tokens]).toEqual([
      [32, 16, 8, 8, 16, 8, 8],
      4 * 17,
    ]);
    // And is not told of that in every call.
    first.requests.length = 0;
    await collect(texts(24).map((text) => `${text}!`));
    expect(first.requests.map(({ input }) => input.length)).toEqual([8, 8, 8]);
  });

  it.each([{}, { prompt_tokens: null }, { prompt_tokens: 0 }])(
    'counts the tokens of hosts that say only how many there were in total, and beside that %j',
    async (besides) => {
      const usage = { ...besides, total_tokens: 7 };
      first.respond = (request) => ({ body: { ...goodResponse(request), usage } });
      expect((await collect(['a'])).tokens).toBe(7);
    },
  );

  it('stops asking a host that fails again and again, and is down when that is true of all', async () => {
    for (const host of [first, second]) host.respond = () => ({ status: 500, body: {} });
    for (const text of texts(5)) await expect(collect([text])).rejects.toMatchObject({ code: 'host_error' });
    expect(service.healthCheck().status).toBe('unhealthy');
    await expect(collect(['one more'])).rejects.toMatchObject({ code: 'no_host_available' });
    expect([first.requests.length, second.requests.length]).toEqual([5, 5]);
    const { hosts: states } = service.getMetrics().model as unknown as { hosts: object[] };
    expect(states).toMatchObject([
      { circuitBreaker: { state: 'OPEN' } },
      { circuitBreaker: { state: 'OPEN' } },
    ]);
  });

  it('stops asking hosts whose answers are of no use, as it does for those that fail', async () => {
    for (const host of [first, second]) host.respond = () => ({ body: { data: [] } });
    for (const text of texts(5)) await expect(collect([text])).rejects.toMatchObject({ code: 'host_error' });
    expect(service.healthCheck().status).toBe('unhealthy');
    await expect(collect(['one more'])).rejects.toMatchObject({ code: 'no_host_available' });
    expect([first.requests.length, second.requests.length]).toEqual([5, 5]);
  });

  it('ends with the call', async () => {
    const aborter = new AbortController();
    first.respond = (request) => {
      aborter.abort();
      return { body: goodResponse(request) };
    };
    const call = service.collect({ inputs: texts(200) }, { id: 'test', signal: aborter.signal });
    await expect(call).rejects.toThrow();
    expect(first.requests.length).toBeLessThan(7);
  });
});

describe('embedding-service with EMBEDDING_BACKEND=remote', () => {
  it('answers as with a model of its own', async () => {
    const env = {
      EMBEDDING_BACKEND: 'remote',
      EMBEDDING_REMOTE_HOSTS: hosts.join(','),
      EMBEDDING_REMOTE_MODEL: 'far-away',
      EMBEDDING_REMOTE_DIMENSIONS: '2',
      LOG_LEVEL: 'silent',
    };
    const { app, start, close } = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
    await start();
    await app.listen(0, '127.0.0.1');
    const response = await postJson(`${await app.getUrl()}/v1/embeddings`, {
      model: 'far-away',
      input: ['ab', 'abc'],
    });
    expect(await response.json()).toMatchObject({
      data: [{ embedding: [2, 1] }, { embedding: [3, 1] }],
      model: 'far-away',
      usage: { prompt_tokens: 5 },
    });
    await app.close();
    await close();
  });
});
