import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Handler, postJson, waitFor } from '@morgan/testing';
import { type Served, serveOver } from '../../fixture/served.ts';

type Json = Record<string, unknown>;

const MIB = 1024 * 1024;
const LIMIT_BYTES = 2 * MIB;

let gateway: Served;
let origin: string;
/** Of the host, which knows chat completions only. */
let answer: (response: ServerResponse) => unknown;

beforeAll(async () => {
  const one: Handler = async (request, response) => {
    await request.toArray();
    if (request.method === 'GET') return send(response, { object: 'list', data: [] });
    if (request.url === '/v1/chat/completions') return answer(response);
    return send(response, { detail: 'Not Found' }, 404);
  };
  const file = { llmService: { messages: { answerLimitBytes: LIMIT_BYTES } } };
  gateway = await serveOver({ one }, {}, file);
  origin = gateway.url;
});
afterAll(() => gateway.close());

function send(response: ServerResponse, body: object | string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const completion = (message: Json) => ({
  id: 'c1',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2 },
});
const call = (toolArguments: unknown) =>
  completion({ tool_calls: [{ id: 't', function: { name: 'f', arguments: toolArguments } }] });

async function ask(path = '/v1/messages', more: Json = {}): Promise<{ status: number; body: Json }> {
  const response = await postJson(
    origin + path,
    { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], ...more },
    { 'anthropic-version': '2023-06-01' },
  );
  return { status: response.status, body: (await response.json()) as Json };
}

const refused = (message: string) => ({
  type: 'error',
  error: { type: 'api_error', message: expect.stringContaining(message) },
});

describe('an answer that is translated', () => {
  it('is read up to a limit, which the error names, and its connection is given up', async () => {
    let isClosed = false;
    answer = (response) => {
      response.once('close', () => (isClosed = true));
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(MIB, 'x')));
      };
      response.write('{"choices":[{"message":{"content":"');
      response.on('drain', more);
      more();
    };
    expect(await ask()).toEqual({ status: 502, body: refused(`${LIMIT_BYTES} bytes`) });
    await waitFor(() => isClosed, { what: 'the end of the connection' });
  });

  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  it.each<[string, string]>([
    ['in arguments', JSON.stringify(call(`{"a":${deep}}`))],
    ['in arguments that are an object', JSON.stringify(call({ a: 1 })).replace('"a":1', `"a":${deep}`)],
    [
      'in its content',
      JSON.stringify(completion({ content: 1 })).replace('"content":1', `"content":${deep}`),
    ],
  ])('is an error of the host where it is nested too deep to be written again, %s', async (_, said) => {
    answer = (response) => send(response, said);
    expect(await ask()).toEqual({ status: 502, body: refused('too deep') });
    // The arguments that are a text are not looked into there.
    if (!said.includes(String.raw`\"a\"`)) {
      expect(await ask('/v1/messages', { stream: true })).toEqual({ status: 502, body: refused('too deep') });
      const { status, body } = await ask('/v1/chat/completions', { stream: true });
      expect({ status, body }).toMatchObject({ status: 502, body: { error: { code: 'host_error' } } });
    }
  });

  it('may begin with a byte order mark', async () => {
    answer = (response) => send(response, `\uFEFF${JSON.stringify(completion({ content: 'Hi' }))}`);
    expect(await ask()).toMatchObject({ status: 200, body: { content: [{ type: 'text', text: 'Hi' }] } });
  });
});
