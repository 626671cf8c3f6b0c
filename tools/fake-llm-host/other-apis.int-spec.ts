import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { type FakeLlmHost, startFakeLlmHost } from './fake-llm-host.ts';

const model = 'simulated';
let host: FakeLlmHost;
let client: OpenAI;

beforeAll(async () => {
  host = await startFakeLlmHost({ apiKey: 'k' });
  client = new OpenAI({ baseURL: host.url, apiKey: 'k', maxRetries: 0 });
});

afterAll(() => host.close());

const tools = [
  {
    type: 'function' as const,
    name: 'f',
    parameters: { properties: { a: { type: 'integer' } }, required: ['a'] },
    strict: false,
  },
];

describe('responses', () => {
  it('are answered, kept and gone on with', async () => {
    const response = await client.responses.create({ model, input: 'hello' });
    expect(response.output_text).toBe('[simulated] You said: "hello".');
    expect(response.usage).toMatchObject({ input_tokens: 1, output_tokens: 4 });
    expect((await client.responses.retrieve(response.id)).output_text).toBe(response.output_text);
    const next = {
      model,
      input: [{ role: 'user' as const, content: 'more' }],
      previous_response_id: response.id,
    };
    expect((await client.responses.create(next)).output_text).toContain('more');
    await client.responses.delete(response.id);
    await expect(client.responses.create(next)).rejects.toMatchObject({ status: 404 });
  });

  it('are streamed as the official client follows them', async () => {
    const stream = client.responses.stream({ model, input: 'hello' });
    let text = '';
    const numbers: number[] = [];
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect((await stream.finalResponse()).output_text).toBe(text);
  });

  it('call a forced tool and keep to a length', async () => {
    const called = await client.responses.create({ model, input: 'x', tools, tool_choice: 'required' });
    expect(called.output).toMatchObject([{ type: 'function_call', name: 'f', arguments: '{"a":0}' }]);
    const short = await client.responses.create({ model, input: 'x', max_output_tokens: 16 - 15 });
    expect(short.status).toBe('incomplete');
  });
});

describe('messages', () => {
  async function post(path: string, fields: object, key = 'k'): Promise<Response> {
    const body = JSON.stringify({
      model,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'hello' }],
      ...fields,
    });
    return fetch(host.url + path, { method: 'POST', headers: { 'x-api-key': key }, body });
  }

  it('are answered, and counted', async () => {
    expect(await (await post('/messages', {})).json()).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: '[simulated] You said: "hello".' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 4 },
    });
    expect(await (await post('/messages/count_tokens', {})).json()).toEqual({ input_tokens: 1 });
  });

  it("are streamed in Anthropic's order", async () => {
    const text = await (await post('/messages', { stream: true, max_tokens: 2 })).text();
    expect([...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(text).toContain('"stop_reason":"max_tokens"');
  });

  it('call a forced tool', async () => {
    const tool = { name: 'f', input_schema: tools[0]?.parameters };
    const answer = await (await post('/messages', { tools: [tool], tool_choice: { type: 'any' } })).json();
    expect(answer).toMatchObject({
      content: [{ type: 'tool_use', name: 'f', input: { a: 0 } }],
      stop_reason: 'tool_use',
    });
  });

  it("refuse in Anthropic's words", async () => {
    const refused = await post('/messages', {}, 'wrong');
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });
});

describe('a host that speaks little', () => {
  it('knows nothing of other paths', async () => {
    await using small = await startFakeLlmHost({ speaks: ['/v1/chat/completions', '/v1/models'] });
    expect((await fetch(`${small.url}/responses`, { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await fetch(`${small.url}/models`)).status).toBe(200);
  });
});
