import type { RequestListener } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Handler, postJson } from '@morgan/testing';
import { json } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

const asked: unknown[] = [];
const answerOne: Handler = async (request, response) => {
  const sent = await textOf(request);
  if (request.method === 'GET')
    return json({ object: 'list', data: [{ id: 'm' }, { id: 'both' }] })(response);
  if (request.url !== '/v1/chat/completions') return json({ detail: 'Not Found' }, 404)(response);
  asked.push(JSON.parse(sent));
  const choice = { index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' };
  return json({ id: 'c1', object: 'chat.completion', choices: [choice] })(response);
};
/** Would keep threads, and is down. */
const answerNative: RequestListener = ({ method }, response) => {
  if (method === 'GET') return json({ object: 'list', data: [{ id: 'both' }] })(response);
  return json({ type: 'error', error: { type: 'api_error', message: 'Down.' } }, 500)(response);
};
let gateway: Served;
let origin: string;

beforeAll(async () => {
  const routes = [{ model: 'm', tiers: [[{ host: 'one' }]] }];
  const file = { llmService: { upstream: { routes } } };
  gateway = await serveOver({ one: answerOne, native: answerNative }, {}, file);
  origin = gateway.url;
});
afterAll(() => gateway.close());

async function ask(thread: object, model = 'm'): Promise<[number, unknown]> {
  const response = await postJson(
    `${origin}/v1/messages?beta=true`,
    { model, max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], thread },
    { 'anthropic-version': '2023-06-01' },
  );
  return [response.status, await response.json()];
}

describe('a thread, for a host that speaks chat completions only', () => {
  it('begins', async () => {
    expect(await ask({ type: 'create' })).toMatchObject([200, { content: [{ text: 'Hi' }] }]);
    expect(asked).toEqual([{ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }]);
  });

  it("cannot go on, in the words by which Anthropic's client sends all of it", async () => {
    const [status, body] = await ask({ type: 'continue', previous_message_id: 'msg_c1' });
    const error = { type: 'not_found_error', details: { error_code: 'thread_not_found' } };
    expect([status, body]).toMatchObject([404, { type: 'error', error }]);
  });

  it('is sent as a whole, too, where the host that keeps it is down', async () => {
    expect(await ask({ type: 'create' }, 'both')).toMatchObject([200, { content: [{ text: 'Hi' }] }]);
    const [status, body] = await ask({ type: 'continue', previous_message_id: 'msg_1' }, 'both');
    expect([status, body]).toMatchObject([404, { error: { details: { error_code: 'thread_not_found' } } }]);
  });

  it.each([{ type: 'fork' }, { type: 'create', ttl: 1 }])('is nothing else: %j', async (thread) => {
    const message = expect.stringContaining("'thread.");
    expect(await ask(thread)).toMatchObject([400, { error: { message } }]);
  });
});
