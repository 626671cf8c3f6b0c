import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Gate, startGate } from '../../fixture/gate.ts';

let gate: Gate;

beforeAll(async () => {
  gate = await startGate();
});
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
});

async function refusalOf(method: string, path: string, key = 'the-key') {
  const response = await fetch(gate.url + path, { method, headers: { 'x-api-key': key } });
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, allow: response.headers.get('allow'), ...error };
}

describe('a path that is there', () => {
  it.each([
    ['GET', '/v1/echo', 'POST'],
    ['POST', '/v1/item/7', 'GET, HEAD'],
    ['DELETE', '/v1//item/a%2Fb/', 'GET, HEAD'],
    ['PUT', '/v1/plain/busy', 'GET, HEAD, POST'],
    ['POST', '/livez?a=1', 'GET, HEAD'],
    ['PATCH', '/docs/swagger-ui.css', 'GET, HEAD'],
  ])('says which methods it has instead of %s %s, parameters or not', async (method, path, allow) => {
    expect(await refusalOf(method, path)).toMatchObject({ status: 405, code: 'method_not_allowed', allow });
  });
});

describe('a WebSocket', () => {
  const handshake = async (path: string, key = 'the-key') => {
    const headers = {
      ...{ connection: 'Upgrade', upgrade: 'WebSocket', 'x-api-key': key },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    };
    const [response] = (await once(get(gate.url + path, { headers }), 'response')) as [IncomingMessage];
    const { error } = JSON.parse(Buffer.concat(await response.toArray()).toString()) as {
      error: { code: string; message: string };
    };
    return { status: response.statusCode, headers: response.headers, ...error };
  };

  it('is told that the path answers over HTTP, so that its client asks again that way', async () => {
    expect(await handshake('/v1/echo')).toMatchObject({
      status: 426,
      code: 'upgrade_required',
      message: '/v1/echo takes POST over HTTP, and no WebSocket.',
      headers: { upgrade: 'HTTP/1.1', connection: 'upgrade, close', allow: 'POST' },
    });
  });

  it('is refused for what matters more: its key, or that there is no such path', async () => {
    expect(await handshake('/v1/echo', 'wrong')).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(await handshake('/v1/none')).toMatchObject({ status: 404, code: 'unknown_url' });
  });
});

describe('a path that is not there', () => {
  it.each([
    ['POST', '/echo', 'There is /v1/echo.'],
    ['POST', '/v1/v1/echo', 'There is /v1/echo.'],
    ['POST', '/api/openai/v1/echo?a=1', 'There is /v1/echo.'],
    ['POST', '/V1/Echo/', 'There is /v1/echo.'],
    ['GET', '/items/v1/item/7', 'There is /v1/item/7.'],
    ['GET', '/healthz', 'There is /livez.'],
    ['GET', '/', 'There is /docs.'],
    ['GET', '/known/to/the/service', 'The service knows of this one.'],
  ])('may have been meant otherwise: %s %s', async (method, path, hint) => {
    const { status, message } = await refusalOf(method, path);
    const shown = path.split('?', 1)[0]?.replace(/(?<=.)\/$/, '');
    expect([status, message]).toEqual([404, `Unknown request URL: ${method} ${shown}. ${hint}`]);
  });

  it.each([
    ['GET', '/v1/echo/more'],
    ['GET', '/echo'],
    ['GET', '/a/b/c/d/e/f/v1/item/7'],
    ['POST', '/readiness'],
  ])('is only named where nobody can tell: %s %s', async (method, path) => {
    expect((await refusalOf(method, path)).message).toBe(`Unknown request URL: ${method} ${path}.`);
  });

  it('costs little and says little, however long it is', async () => {
    const { message } = await refusalOf('GET', '/a'.repeat(7_000));
    expect(message).toHaveLength('Unknown request URL: GET .'.length + 257);
  });

  it('is no matter of strangers', async () => {
    for (const path of ['/echo', '/healthz', '/', '/v1/item/7'])
      expect(await refusalOf('POST', path, 'wrong')).toMatchObject({ status: 401, allow: null });
  });
});
