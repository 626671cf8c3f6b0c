import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import type { ServiceParts } from '@morgan/http-server';
import { composeLlmService } from '../compose.ts';
import { llmServiceConfig } from '../config/llm-service.config.ts';

type Json = Record<string, unknown>;
type Reply = (response: ServerResponse) => unknown;

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';

/** Hosts of one model: `anthropic` knows messages only, `chat` chat completions only. */
const hosts: Server[] = [];
/** What hosts were asked: name and path. */
const asked: string[] = [];
const said = new Map<string, Reply>();
const services: ServiceParts[] = [];

const json =
  (value: object, status = 200, headers = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
const refusal = (status: number, type: string, headers = {}) =>
  json({ type: 'error', error: { type, message: `No, ${type}.` } }, status, headers);
const answer = (content: string) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
});
const events: Reply = (response) => {
  const { choices, ...rest } = answer('');
  const told = [{ content: 'From the other.' }, {}].map((delta, at) => ({
    ...rest,
    choices: [{ index: 0, delta, finish_reason: at === 0 ? null : choices[0]?.finish_reason }],
  }));
  const text = told.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${text}data: [DONE]\n\n`);
};

beforeAll(async () => {
  for (const [name, path] of [
    ['anthropic', MESSAGES],
    ['chat', CHAT],
  ] as const) {
    const host = createServer((request, response) => {
      void request.toArray().then(() => {
        asked.push(`${name} ${request.url}`);
        const reply = request.url === path ? said.get(name) : undefined;
        (reply ?? json({ detail: 'Not Found' }, 404))(response);
      });
    }).listen(0, '127.0.0.1');
    await once(host, 'listening');
    hosts.push(host);
  }
});
beforeEach(() => {
  asked.length = 0;
  said.set('chat', json(answer('From the other.')));
});
afterAll(async () => {
  for (const { app, close } of services) {
    await app.close();
    await close();
  }
  for (const host of hosts) host.close().closeAllConnections();
});

/** The answer of a gateway that has learned nothing yet. */
async function ask(body: Json = {}): Promise<Response> {
  const [anthropic, chat] = hosts.map(
    (host) => `http://127.0.0.1:${(host.address() as AddressInfo).port}/v1`,
  );
  const upstream = {
    hosts: [
      { name: 'anthropic', url: anthropic, probe: false },
      { name: 'chat', url: chat, probe: false },
    ],
    routes: [{ model: 'm', tiers: [[{ host: 'anthropic' }], [{ host: 'chat' }]] }],
  };
  const file = { llmService: { upstream } };
  const parts = await composeLlmService(loadConfig(llmServiceConfig, { env: { LOG_LEVEL: 'silent' }, file }));
  services.push(parts);
  await parts.app.listen(0, '127.0.0.1');
  return fetch(`${await parts.app.getUrl()}${MESSAGES}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], ...body }),
  });
}

describe('a message whose host with its API gives no answer', () => {
  it.each<[string, Reply]>([
    ['is overloaded', refusal(529, 'overloaded_error')],
    ['has a limit', refusal(429, 'rate_limit_error', { 'retry-after': '20' })],
    ['knows no such model', refusal(404, 'not_found_error')],
    ['refuses our key', refusal(401, 'authentication_error')],
    ['cuts the connection', (response) => response.destroy()],
    ['answers with nothing', (response) => response.end()],
    ['answers with an empty object', json({})],
  ])('is answered by one that knows chat completions only, where it %s', async (_, reply) => {
    said.set('anthropic', reply);
    const response = await ask();
    expect([response.status, response.headers.get('x-morgan-host')]).toEqual([200, 'chat']);
    expect(await response.json()).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'From the other.' }],
    });
    expect(asked.at(-1)).toBe(`chat ${CHAT}`);
    expect(Number(response.headers.get('x-morgan-attempts'))).toBe(asked.length);
  });

  it.each<[string, Reply]>([
    ['in a stream', events],
    ['as JSON', json(answer('From the other.'))],
  ])('is streamed by that one, which tells it %s', async (_, reply) => {
    said.set('anthropic', refusal(529, 'overloaded_error'));
    said.set('chat', reply);
    const response = await ask({ stream: true });
    expect(response.headers.get('x-morgan-attempts')).toBe('3');
    const text = await response.text();
    expect(text.match(/^event: message_(start|stop)$/gm)).toHaveLength(2);
    expect(text).toContain('From the other.');
  });

  it.each<[string, Json, Reply]>([
    ['refuses it too', {}, json({ error: { message: 'no' } }, 400)],
    ['is down too', {}, (response) => response.destroy()],
    [
      'cannot be asked for what is in it',
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      json(answer('Never.')),
    ],
  ])('is told what that one said, with its time, where the other %s', async (_, body, reply) => {
    said.set('anthropic', refusal(429, 'rate_limit_error', { 'retry-after': '20' }));
    said.set('chat', reply);
    for (const stream of [false, true]) {
      const response = await ask({ ...body, stream });
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, '20']);
      expect(await response.text()).toContain('No, rate_limit_error.');
    }
  });

  it('is asked for nowhere else where that is about the message', async () => {
    said.set('anthropic', refusal(400, 'invalid_request_error'));
    expect((await ask()).status).toBe(400);
    expect(asked).toEqual([`anthropic ${MESSAGES}`]);
  });
});
