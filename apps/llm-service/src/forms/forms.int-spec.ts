import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Handler, type LocalServer, waitFor } from '@morgan/testing';
import { serveOver } from '../../fixture/served.ts';

const PATH = '/v1/audio/transcriptions';
const BOUNDARY = 'b-1';
const AZURE = '/openai/deployments/alias/audio/transcriptions?api-version=1';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const HELD_BYTES = 65_536;
const LIMIT_BYTES = 1_000_000;
/** The most that a host may take for an answer of the model `hurried`, in milliseconds. */
const HOST_MS = 2_500;
const MODEL = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper\r\n`;
const file = (bytes: number) =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n${'x'.repeat(bytes)}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

interface Asked {
  readonly host: string;
  readonly length: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

const asked: Asked[] = [];
/** Uploads that a host saw begin, and break off. */
let begun = 0;
let broken = 0;
let gateway: Awaited<ReturnType<typeof serveOver>>;
let origin: string;
let answer: (response: ServerResponse, host: string) => void;

beforeAll(async () => {
  const hosts: Record<string, Handler> = {
    one: (...call) => take('one', ...call),
    two: (...call) => take('two', ...call),
  };
  const routes = [
    { model: 'whisper', tiers: [[{ host: 'one' }], [{ host: 'two' }]] },
    { model: 'hurried', tiers: [[{ host: 'one' }]], answerTimeoutMs: HOST_MS },
    { model: 'alias', tiers: [[{ host: 'two', model: 'whisper-large-v3' }]] },
  ];
  const env = {
    BODY_LIMIT_BYTES: String(LIMIT_BYTES),
    FORM_HELD_BYTES: String(HELD_BYTES),
  };
  // A window in which nothing comes at all is too slow.
  const http = { bodies: { minBytesPerSecond: 1, rateWindowMs: 2_500 } };
  gateway = await serveOver(hosts, env, { llmService: { upstream: { routes }, http } });
  origin = gateway.url;
});

afterAll(() => gateway.close());

beforeEach(() => {
  asked.length = 0;
  begun = 0;
  broken = 0;
  answer = (response) => json(response, 200, '{"text":"hello"}');
});

async function take(host: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  if (incoming.method === 'GET') return json(response, 200, '{"data":[]}');
  begun += 1;
  try {
    const body = Buffer.concat((await incoming.toArray()) as Buffer[]).toString();
    const { 'content-length': length, 'content-type': type } = incoming.headers;
    asked.push({ host, length, type, body });
    answer(response, host);
  } catch {
    broken += 1;
  }
}

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

const send = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, path = PATH) =>
  fetch(origin + path, { method: 'POST', body, headers: { 'content-type': TYPE, ...headers } });

async function errorOf(response: Response): Promise<object> {
  const { error } = (await response.json()) as { error: object };
  return { status: response.status, ...error };
}

describe('a form', () => {
  it.each([
    ['with its model in front', MODEL + file(300_000) + END],
    ['with its model behind a short file', file(30_000) + MODEL + END],
  ])('goes through byte for byte to a host of its model: %s', async (_, form) => {
    const response = await send(form);
    expect([response.status, response.headers.get('x-morgan-host')]).toEqual([200, 'one']);
    expect(asked).toEqual([{ host: 'one', length: String(form.length), type: TYPE, body: form }]);
  });

  it('has the name of the model that a target has, and the length that it has then', async () => {
    const named = MODEL.replace('whisper', 'alias');
    await send(named + file(200_000) + END);
    const body = MODEL.replace('whisper', 'whisper-large-v3') + file(200_000) + END;
    expect(asked).toEqual([{ host: 'two', length: String(body.length), type: TYPE, body }]);
  });

  it('is decoded where it was compressed, and has no length then', async () => {
    const form = MODEL + file(1_000) + END;
    await send(new Uint8Array(gzipSync(form)), { 'content-encoding': 'gzip' });
    expect(asked).toEqual([{ host: 'one', length: undefined, type: TYPE, body: form }]);
  });

  it('is sent to another host as long as all that was sent is held', async () => {
    answer = (response, host) =>
      host === 'one'
        ? json(response, 500, '{"error":{"message":"CUDA"}}')
        : json(response, 200, '{"text":""}');
    const short = MODEL + file(30_000) + END;
    expect((await send(short)).headers.get('x-morgan-host')).toBe('two');
    expect(asked.map(({ host, body }) => [host, body === short])).toEqual([
      ['one', true],
      // A fault that may come of the request is tried twice before the next tier.
      ['one', true],
      ['two', true],
    ]);
    asked.length = 0;
    const long = await send(MODEL + file(500_000) + END);
    expect(await errorOf(long)).toMatchObject({ status: 500, message: 'CUDA' });
    expect(asked.map(({ host }) => host)).toEqual(['one']);
  });

  it.each([
    ['multipart/form-data', "'multipart/form-data'"],
    ['audio/wav', "'audio/wav'"],
    ['multipart/mixed; boundary=b-1', "'multipart/mixed; boundary=b-1'"],
  ])('of another type is refused by what it should be: %s', async (type, named) => {
    const response = await send(MODEL + file(100) + END, { 'content-type': type });
    expect(await errorOf(response)).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
      message: `The content-type must be multipart/form-data with a boundary, or application/json, not ${named}.`,
    });
    expect(asked).toEqual([]);
  });

  it('may be JSON in its place, which some hosts take alone, and is checked and routed as any other', async () => {
    const jsonType = { 'content-type': 'application/json; charset=utf-8' };
    const body = '{"model":"whisper", "input_audio":{"data":"AAAA","format":"wav"},"prompt":1e2}';
    expect((await send(body, jsonType)).headers.get('x-morgan-host')).toBe('one');
    expect(asked).toEqual([
      { host: 'one', length: String(body.length), type: jsonType['content-type'], body },
    ]);
    expect((await send(body, jsonType, AZURE)).headers.get('x-morgan-host')).toBe('two');
    expect(asked[1]?.body).toBe(body.replace('whisper', 'whisper-large-v3'));
    for (const [text, code] of [
      ['{"model":', 'invalid_json'],
      ['{"model":1}', 'invalid_type'],
      ['{"model":"a","model":"b"}', 'invalid_value'],
      ['[]', 'missing_body'],
    ] as const)
      expect(await errorOf(await send(text, jsonType))).toMatchObject({ status: 400, code });
    expect(asked).toHaveLength(2);
  });

  it('that has its model too late is refused, unless the path names one', async () => {
    const late = file(200_000) + MODEL + END;
    expect(await errorOf(await send(late))).toMatchObject({
      status: 400,
      code: 'missing_required_parameter',
      param: 'model',
      message: expect.stringContaining('within the first 65536 bytes'),
    });
    expect(asked).toEqual([]);
    const named = late.replace('whisper', 'alias');
    expect((await send(named, {}, AZURE)).headers.get('x-morgan-host')).toBe('two');
  });

  it('that is refused is watched no longer', async () => {
    const late = file(200_000) + MODEL + END;
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await send(MODEL + file(10) + END);
    const before = timers();
    const forms = Array.from({ length: 20 }, () => send(late));
    for (const { status } of await Promise.all(forms)) expect(status).toBe(400);
    // Others come and go meanwhile.
    await waitFor(() => timers() < before + forms.length / 2, {
      what: 'the end of their timers',
      timeoutMs: 5_000,
    });
  });

  it('asks for the model that the path names, whatever it names itself', async () => {
    const form = MODEL + file(200_000) + END;
    await send(form, {}, AZURE.replace('alias', 'unrouted'));
    await send(form, {}, AZURE);
    const asFor = (model: string) => {
      const body = MODEL.replace('whisper', model) + file(200_000) + END;
      return expect.objectContaining({ length: String(body.length), body });
    };
    expect(asked).toEqual([asFor('unrouted'), asFor('whisper-large-v3')]);
  });

  it('that names another model than its path where it cannot be replaced is refused', async () => {
    expect(await errorOf(await send(file(200_000) + MODEL + END, {}, AZURE))).toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'model',
    });
    expect(asked).toEqual([]);
    await waitFor(() => broken === begun, { what: 'the host to see it' });
  });

  it.each([
    ['at once', 1_000, 0],
    ['when it comes', 900_000, 1],
  ])(
    'that names a second model is refused %s: parsers differ in which they take',
    async (_, bytes, hosts) => {
      const form = MODEL + file(bytes) + MODEL.replace('whisper', 'other') + END;
      expect(await errorOf(await send(form))).toMatchObject({
        status: 400,
        code: 'invalid_value',
        param: 'model',
      });
      expect([begun, asked.length]).toEqual([hosts, 0]);
      await waitFor(() => broken === hosts, { what: 'the host to see it' });
    },
  );

  it.each([
    ['larger than the limit, as it says', MODEL + file(LIMIT_BYTES) + END, 413, 'request_too_large'],
    ['empty', '', 400, 'missing_body'],
    ['of a model without a name', MODEL.replace('whisper', '') + file(10) + END, 400, 'invalid_value'],
  ])('is refused where it is %s', async (_, form, status, code) => {
    expect(await errorOf(await send(form))).toMatchObject({ status, code });
    expect(asked).toEqual([]);
  });

  it.each([
    ['turns out larger than the limit', 20, 413, 'request_too_large'],
    ['comes too slowly', 0, 408, 'request_timeout'],
  ])('that %s breaks off at the host, too', async (_, pieces, status, code) => {
    const upload = request(origin + PATH, { method: 'POST', headers: { 'content-type': TYPE } });
    upload.on('error', () => undefined).write(MODEL + file(100_000));
    for (let count = 0; count < pieces; count += 1) upload.write('x'.repeat(65_536));
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    const body = Buffer.concat((await response.toArray()) as Buffer[]).toString();
    expect([response.statusCode, body]).toEqual([status, expect.stringContaining(code)]);
    await waitFor(() => broken === 1, { what: 'the host to see it' });
    upload.destroy();
  });

  it('that comes slowly is no slowness of its host', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      setTimeout(() => response.end('{"text":"hello"}'), 50);
    };
    // Longer than the host may take, and fast enough for the gateway.
    const pieces = [MODEL.replace('whisper', 'hurried') + file(0).slice(0, -2)];
    for (let piece = 0; piece < 5; piece += 1) pieces.push('x'.repeat(20_000));
    async function* slowly() {
      for (const piece of [...pieces, `\r\n${END}`]) {
        yield Buffer.from(piece);
        await delay(HOST_MS / pieces.length);
      }
    }
    const body = ReadableStream.from(slowly());
    const headers = { 'content-type': TYPE };
    const response = await fetch(origin + PATH, { method: 'POST', body, headers, duplex: 'half' });
    expect([response.status, await response.text()]).toEqual([200, '{"text":"hello"}']);
  });

  it('whose caller leaves breaks off at the host', async () => {
    const upload = request(origin + PATH, { method: 'POST', headers: { 'content-type': TYPE } });
    upload.on('error', () => undefined).write(MODEL + file(200_000));
    await waitFor(() => begun === 1, { what: 'the host to be asked' });
    upload.destroy();
    await waitFor(() => broken === 1, { what: 'the host to see it' });
    expect(asked).toEqual([]);
  });

  it('that a host answers early is answered', async () => {
    const [{ server }] = gateway.hosts as [LocalServer];
    server.removeAllListeners('request');
    server.on('request', (_, response: ServerResponse) => json(response, 400, '{"error":{"message":"no"}}'));
    const response = await send(MODEL + file(900_000) + END);
    expect(await errorOf(response)).toMatchObject({ status: 400, message: 'no' });
  });
});
