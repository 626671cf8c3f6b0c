import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Gate, startGate } from '../../fixture/gate.ts';

let gate: Gate;

beforeAll(async () => {
  gate = await startGate({ openEndpoints: ['docs'] });
});
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
});

const KEY = { 'x-api-key': 'the-key' };
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${gate.url}${path}`, {
    ...init,
    headers: { 'content-type': 'application/json', ...KEY, ...init.headers },
  });

describe('a route without the pipeline of Nest', () => {
  it('gets the body that was checked, and the request has its id and its log line', async () => {
    const response = await ask('/v1/plain/7', { method: 'POST', body: '{"a":1}' });
    expect([response.status, await response.json()]).toEqual([200, { body: { a: 1 }, params: { id: '7' } }]);
    expect(response.headers.get('x-answered-by')).toBe('gate');
    const requestId = response.headers.get('x-request-id');
    const finished = gate.finished.find((each) => each.requestId === requestId);
    expect(finished).toMatchObject({ route: '/v1/plain/:id', caller: 'key 1' });
  });

  it('is guarded as every route is', async () => {
    const response = await ask('/v1/plain/7', {
      method: 'POST',
      body: '{}',
      headers: { 'x-api-key': 'another' },
    });
    expect([response.status, await response.json()]).toMatchObject([
      401,
      { error: { code: 'invalid_api_key' } },
    ]);
  });

  it('refuses bodies as every route does', async () => {
    const response = await ask('/v1/plain/7', { method: 'POST', body: '{"a":' });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: 'invalid_json' } },
    ]);
  });

  it('answers with its own errors, and says nothing of faults', async () => {
    const busy = await ask('/v1/plain/busy');
    expect([busy.status, busy.headers.get('retry-after'), await busy.json()]).toMatchObject([
      503,
      '2',
      { error: { code: 'bulkhead_full' } },
    ]);
    const broken = await ask('/v1/plain/broken');
    const body = await broken.text();
    expect([broken.status, JSON.parse(body)]).toMatchObject([500, { error: { code: 'internal_error' } }]);
    expect(body).not.toContain('secret');
  });

  it.each([
    ['/v1/plain/bytes', 'application/octet-stream', [0, 255]],
    ['/v1/plain/text', 'text/plain; charset=utf-8', [...Buffer.from('äö')]],
  ])('sends what %s is, with its length', async (path, type, bytes) => {
    const response = await ask(path);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual(bytes);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
  });

  it('sends a body as it comes, and a fault of it is an error or a broken transfer', async () => {
    expect(await (await ask('/v1/plain/stream/never')).text()).toBe('one,two');
    const before = await ask('/v1/plain/stream/before');
    expect([before.status, await before.json()]).toMatchObject([500, { error: { code: 'internal_error' } }]);
    const within = await ask('/v1/plain/stream/within');
    expect(within.status).toBe(200);
    await expect(within.text()).rejects.toThrow('terminated');
  });

  it('may fail before there is a promise', async () => {
    const response = await ask('/v1/plain/thrown');
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: 'bulkhead_full' } },
    ]);
  });

  it('leaves a path that a route of Nest has more exactly to that one', async () => {
    expect(await (await ask('/v1/either/nest')).json()).toEqual({ by: 'nest' });
    expect(await (await ask('/v1//either/other/')).json()).toEqual({ by: 'plain' });
  });

  it('is there for HEAD as well', async () => {
    const response = await ask('/v1/plain/text', { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '4']);
  });

  it('is in the API documentation', async () => {
    const { paths } = (await (await ask('/docs/openapi.json')).json()) as { paths: Record<string, unknown> };
    expect(paths['/v1/plain/{id}']).toMatchObject({
      post: {
        summary: 'Says what it was asked.',
        parameters: [{ name: 'id', in: 'path', required: true }],
        requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
      },
    });
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/plain/busy', '/v1/echo']));
  });
});

describe('a route that takes a JSON body', () => {
  const post = (body: string | undefined) => ask('/v1/length', { method: 'POST', ...(body && { body }) });

  it('answers with what it resolves to, and gets the body as it came', async () => {
    const response = await post('{"text":"abc","more":[1]}');
    expect([response.status, await response.json()]).toEqual([
      200,
      { length: 3, body: { text: 'abc', more: [1] } },
    ]);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it.each([
    ['{"text":""}', 'empty_string', 'text'],
    ['{"text":3}', 'invalid_type', 'text'],
    ['{}', 'missing_required_parameter', 'text'],
    ['[]', 'missing_body', null],
    [undefined, 'missing_body', null],
  ])('refuses %s by the field that is wrong', async (body, code, param) => {
    const response = await post(body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code, param } }]);
  });

  it('is in the API documentation with its schema', async () => {
    const { paths } = (await (await ask('/docs/openapi.json')).json()) as { paths: Record<string, unknown> };
    const schema = {
      type: 'object',
      properties: { text: { type: 'string', minLength: 1 } },
      required: ['text'],
    };
    expect(paths['/v1/length']).toMatchObject({
      post: { requestBody: { content: { 'application/json': { schema } } } },
    });
  });
});
