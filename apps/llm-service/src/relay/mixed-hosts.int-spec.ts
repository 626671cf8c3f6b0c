import type { ServerResponse } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, postJson } from '@morgan/testing';
import { json } from '../../fixture/host-answers.ts';
import { serve, type Served } from '../../fixture/served.ts';

type Json = Record<string, unknown>;
type Reply = (response: ServerResponse) => unknown;

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';

/** Hosts of one model: `anthropic` knows messages only, `chat` chat completions only. */
const hosts: LocalServer[] = [];
/** What hosts were asked: name and path. */
const asked: string[] = [];
const bodies: string[] = [];
const said = new Map<string, Reply>();
const gateways: Served[] = [];

const refusal = (status: number, type: string, headers = {}) =>
  json({ type: 'error', error: { type, message: `No, ${type}.` } }, status, headers);
const answer = (content: string) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
});
const events =
  (content = 'From the other.'): Reply =>
  (response) => {
    const { choices, ...rest } = answer('');
    const told = [{ content }, {}].map((delta, at) => ({
      ...rest,
      choices: [{ index: 0, delta, finish_reason: at === 0 ? null : choices[0]?.finish_reason }],
    }));
    const text = told.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${text}data: [DONE]\n\n`);
  };
/** A message that breaks in the middle of this text. */
const brokenMessage =
  (text: string): Reply =>
  (response) => {
    const told = [
      { type: 'message_start', message: { id: 'msg_a', usage: { input_tokens: 10, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(told.join(''), () => response.destroy());
  };

beforeAll(async () => {
  for (const [name, path] of [
    ['anthropic', MESSAGES],
    ['chat', CHAT],
  ] as const) {
    const host = await listen(async (request, response) => {
      const sent = await textOf(request);
      asked.push(`${name} ${request.url}`);
      bodies.push(sent);
      const reply = request.url?.startsWith(path) ? said.get(name) : undefined;
      (reply ?? json({ detail: 'Not Found' }, 404))(response);
    });
    hosts.push(host);
  }
});
beforeEach(() => {
  asked.length = 0;
  bodies.length = 0;
  said.set('chat', json(answer('From the other.')));
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  for (const host of hosts) await host.close();
});

/** The answer of a gateway that has learned nothing yet. */
async function ask(body: Json = {}, ofChat: Json = {}, path = MESSAGES): Promise<Response> {
  return askAt(await gatewayWith(ofChat), body, path);
}

async function gatewayWith(ofChat: Json = {}): Promise<string> {
  const [anthropic, chat] = hosts.map(({ origin }) => `${origin}/v1`);
  const upstream = {
    hosts: [
      { name: 'anthropic', url: anthropic, probe: false },
      { name: 'chat', url: chat, probe: false },
    ],
    routes: [{ model: 'm', tiers: [[{ host: 'anthropic' }], [{ host: 'chat', capabilities: ofChat }]] }],
  };
  const gateway = await serve({}, { llmService: { upstream } });
  gateways.push(gateway);
  return gateway.url;
}

function askAt(url: string, body: Json = {}, path = MESSAGES): Promise<Response> {
  return postJson(
    `${url}${path}`,
    { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], ...body },
    { 'anthropic-version': '2023-06-01' },
  );
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
    ['in a stream', events()],
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

describe('a streamed message that breaks in the middle of its text', () => {
  const told = async (response: Response) => {
    const text = await response.text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Json);
    const types = events.map(({ type, index = '' }) => `${type as string} ${index as string}`.trim());
    const said = [...text.matchAll(/"text_delta","text":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    return { types, said, text, usage: events.at(-2)?.['usage'] };
  };

  it.each<[string, Json, string, string[]]>([
    ['begun again', {}, 'From the other.', [`anthropic ${MESSAGES}`, `chat ${MESSAGES}`, `chat ${CHAT}`]],
    [
      'begun again where it does not go on with others',
      { endpoints: ['/chat/completions'] },
      'From the other.',
      [`anthropic ${MESSAGES}`, `chat ${CHAT}`],
    ],
    [
      'continued',
      { prefixContinuation: 'vllm', endpoints: ['/chat/completions'] },
      'other.',
      [`anthropic ${MESSAGES}`, `chat ${CHAT}`],
    ],
  ])('is %s by a host that knows chat completions only', async (_, ofChat, content, all) => {
    said.set('anthropic', brokenMessage('From the '));
    said.set('chat', events(content));
    const { types, said: seen, text, usage } = await told(await ask({ stream: true }, ofChat));
    expect(seen).toBe('From the other.');
    expect(types).toEqual([
      'message_start',
      'content_block_start 0',
      'content_block_delta 0',
      'content_block_delta 0',
      'content_block_stop 0',
      'message_delta',
      'message_stop',
    ]);
    expect(asked).toEqual(all);
    expect(text).toContain(`: x-morgan-attempts: ${all.length}\n`);
    // A prompt as long as the other's, and a token for the one event, besides what the other has counted.
    expect(usage).toMatchObject({ output_tokens: 2 });
    const prefix = { role: 'assistant', content: 'From the ' };
    const isContinued = ofChat['prefixContinuation'] !== undefined;
    expect(JSON.parse(bodies.at(-1) ?? '')).toMatchObject({
      ...(isContinued && { continue_final_message: true }),
      messages: [{ role: 'user' }, ...(isContinued ? [prefix] : [])],
    });
  });

  it('is asked of nobody on a path that is known to be none of theirs', async () => {
    const url = await gatewayWith({ prefixContinuation: 'vllm' });
    said.set('anthropic', brokenMessage('From the'));
    said.set('chat', events(' other.'));
    for (const all of [3, 2]) {
      asked.length = 0;
      expect((await told(await askAt(url, { stream: true }))).said).toBe('From the other.');
      expect(asked).toHaveLength(all);
    }
  });

  it.each<[string, Reply]>([
    ['says something else', events('Quite another.')],
    ['refuses it', json({ error: { message: 'no' } }, 400)],
  ])('ends with an error where that one %s', async (_, reply) => {
    said.set('anthropic', brokenMessage('From the '));
    said.set('chat', reply);
    const response = await ask({ stream: true });
    let text = '';
    const read = async () => {
      for await (const piece of response.body ?? []) text += Buffer.from(piece as Uint8Array).toString();
    };
    await expect(read()).rejects.toThrow('terminated');
    expect(text).toContain('event: error');
    expect(text).not.toContain('message_stop');
  });
});

describe('the tokens of a message', () => {
  const COUNT = `${MESSAGES}/count_tokens`;
  const counted = async () => {
    const response = await ask({}, {}, COUNT);
    return [response.status, response.headers.get('x-morgan-host'), await response.json()];
  };

  it.each<[string, Reply]>([
    ['is down', (response) => response.destroy()],
    ['is overloaded', refusal(529, 'overloaded_error')],
    ['has a limit', refusal(429, 'rate_limit_error', { 'retry-after': '20' })],
    ['says that it does not count', refusal(500, 'count_tokens is not supported by provider p')],
  ])('are an estimate where the host that counts them %s', async (_, reply) => {
    said.set('anthropic', reply);
    expect(await counted()).toEqual([200, 'gateway', { input_tokens: expect.any(Number) }]);
    expect(asked).toContain(`anthropic ${COUNT}`);
  });

  it('are what the host says that counts them, and none of a message that is wrong', async () => {
    said.set('anthropic', json({ input_tokens: 7 }));
    expect(await counted()).toEqual([200, 'anthropic', { input_tokens: 7 }]);
    said.set('anthropic', refusal(400, 'invalid_request_error'));
    expect((await counted())[0]).toBe(400);
  });
});
