import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { events, json } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

const COMPLETION = { id: 'c1', choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] };
const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const STREAM = events(chunk({ content: 'Hi' }), chunk({}, 'stop'), 'data: [DONE]\n\n');

let asked: (string | undefined)[] = [];
let gateway: Served | undefined;
beforeEach(async () => {
  await gateway?.close();
  asked = [];
  gateway = await serveOver({
    // Whatever it is asked, and where, it answers a chat completion.
    one: async (request, response) => {
      const body = await textOf(request);
      if (request.method === 'POST') asked.push(request.url);
      return (body.includes('"stream":true') ? STREAM : json(COMPLETION))(response);
    },
  });
});
afterAll(() => gateway?.close());

const call = (path: string, body: object) => postJson(`${gateway?.url}${path}`, { model: 'm', ...body });
const message = (stream: boolean) =>
  call('/v1/messages', { max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], stream });

describe('a host that has one path for all', () => {
  it.each([false, true])(
    'is asked for a chat completion where a message is wanted, streamed: %s',
    async (stream) => {
      const text = await (await message(stream)).text();
      expect(text).toMatch(stream ? /"text_delta","text":"Hi"[^]*message_stop/ : /"type":"text","text":"Hi"/);
      expect(asked).toEqual(['/v1/messages', '/v1/chat/completions']);
      await message(stream);
      expect(asked.slice(2)).toEqual(['/v1/chat/completions']);
    },
  );

  it.each([false, true])('has none for responses, streamed: %s', async (stream) => {
    const response = await call('/v1/responses', { input: 'Hi', stream });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('it answered in another API');
    expect(asked).toEqual(['/v1/responses']);
  });
});
