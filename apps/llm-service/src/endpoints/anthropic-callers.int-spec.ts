import type { RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { type Served, serveOver } from '../../fixture/served.ts';

const MODELS = [
  { id: 'org/a', object: 'model', created: 1_700_000_000, owned_by: 'host' },
  { id: 'claude', type: 'model', display_name: 'Claude', created_at: '2026-01-01T00:00:00Z' },
  { id: 'odd', created: 'now', type: 'chat' },
];
const KEYS = { 'x-api-key': 'callers-key' };
const ANTHROPIC = { ...KEYS, 'anthropic-version': '2023-06-01', 'x-request-id': 'mine' };

let gateway: Served;
let origin: string;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  const one: RequestListener = (request, response) => {
    request.resume();
    if (request.method === 'GET') response.end(JSON.stringify({ object: 'list', data: MODELS }));
    else answer(response.setHeader('content-type', 'application/json'));
  };
  gateway = await serveOver({ one }, { API_KEYS: 'callers-key' });
  origin = gateway.url;
  await gateway.parts.start();
});

afterAll(() => gateway.close());

beforeEach(() => {
  answer = (response) => void response.end('{"type":"message","content":[]}');
});

const get = async (path: string, headers: Record<string, string>) => {
  const response = await fetch(origin + path, { headers });
  return { status: response.status, id: response.headers.get('request-id'), body: await response.json() };
};
const post = (body: string, headers: Record<string, string> = ANTHROPIC, path = '/v1/messages') =>
  postJson(origin + path, body, headers);
const MESSAGE = '{"model":"org/a","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}';

describe("what Anthropic's clients read: models", () => {
  it('are a whole page of theirs, with what the host says', async () => {
    const { status, body } = await get('/v1/models?limit=1000', ANTHROPIC);
    const created = { ...MODELS[0], display_name: 'org/a', created_at: '2023-11-14T22:13:20.000Z' };
    expect([status, body]).toEqual([
      200,
      {
        data: [
          { ...created, type: 'model' },
          MODELS[1],
          { ...MODELS[2], type: 'model', display_name: 'odd', created_at: '1970-01-01T00:00:00.000Z' },
        ],
        has_more: false,
        first_id: 'org/a',
        last_id: 'odd',
      },
    ]);
  });

  it('are one by one in that shape, too, and one that is not there is their error', async () => {
    expect(await get('/v1/models/org%2Fa', ANTHROPIC)).toMatchObject({
      body: { type: 'model', id: 'org/a', display_name: 'org/a' },
    });
    expect(await get('/v1/models/none', ANTHROPIC)).toEqual({
      status: 404,
      id: 'mine',
      body: { type: 'error', error: { type: 'not_found_error', message: expect.any(String) } },
    });
  });

  it.each([
    ['/v1/files', /files is not offered/],
    ['/v1/skills', /not offered/],
    ['/v1/v1/messages', /There is \/v1\/messages\./],
    ['/anthropic/v1/messages', /There is \/v1\/messages\./],
    ['/v1/complete', /\/v1\/messages is\./],
  ])('have their error at a path of their API that is not here, too: %s', async (path, message) => {
    const response = await post('{}', ANTHROPIC, path);
    const error = { type: 'not_found_error', message: expect.stringMatching(message) };
    expect([response.status, response.headers.get('request-id')]).toEqual([404, 'mine']);
    expect(await response.json()).toEqual({ type: 'error', error });
    const others = (await (await post('{}', KEYS, path)).json()) as object;
    expect(others).toMatchObject({ error: { code: 'unknown_url' } });
  });

  it("stay OpenAI's for everybody else", async () => {
    expect(await get('/v1/models', KEYS)).toEqual({
      status: 200,
      id: null,
      body: { object: 'list', data: MODELS },
    });
    for (const name of ['org/a', 'org%2Fa', 'org/a:latest'])
      expect(await get(`/v1/models/${name}`, KEYS)).toMatchObject({ body: MODELS[0] });
    expect(await get('/v1/models/none', KEYS)).toMatchObject({
      body: { error: { code: 'model_not_found' } },
    });
  });
});

describe("what Anthropic's clients read: the id of a request", () => {
  const idOf = (response: Response) => response.headers.get('request-id');

  it('is on answers of hosts that have none', async () => {
    expect(idOf(await post(MESSAGE))).toBe('mine');
    answer = (response) => void response.writeHead(400).end('{"error":{"message":"no"}}');
    expect(idOf(await post(MESSAGE))).toBe('mine');
  });

  it("is the host's where it has one, for its own support", async () => {
    answer = (response) =>
      void response.setHeader('Request-Id', 'req_1').end('{"type":"message","content":[]}');
    const response = await post(MESSAGE);
    expect([idOf(response), response.headers.get('x-request-id')]).toEqual(['req_1', 'mine']);
  });

  it.each([
    ['a key that is none', 401, { ...ANTHROPIC, 'x-api-key': 'another' }, MESSAGE],
    ['a broken body', 400, ANTHROPIC, '{'],
    ['a wrong field', 400, ANTHROPIC, '{"model":1}'],
    ['another type', 415, { ...ANTHROPIC, 'content-type': 'text/plain' }, MESSAGE],
  ])('is on refusals: %s', async (_, status, headers, body) => {
    const response = await post(body, headers);
    expect([response.status, idOf(response)]).toEqual([status, 'mine']);
  });

  it('is on refusals below the routes', async () => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write('POST /v1/messages HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n');
    const answered = Buffer.concat((await socket.toArray()) as Buffer[]).toString();
    const [, own] = /\r\nx-request-id: (\S+)/.exec(answered) ?? [];
    expect(answered).toContain(`\r\nrequest-id: ${own}\r\n`);
  });

  it('has one name for everybody else', async () => {
    expect(idOf(await post(MESSAGE, KEYS, '/v1/chat/completions'))).toBeNull();
  });
});
