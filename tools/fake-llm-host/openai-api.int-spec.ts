import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { type FakeLlmHost, startFakeLlmHost } from './fake-llm-host.ts';

const KEY = 'sk-simulated';
const model = 'simulated';
const messages = [{ role: 'user' as const, content: 'hello there' }];
const ECHO = '[simulated] No language model wrote this answer. You said: "hello there".';

let host: FakeLlmHost;
let client: OpenAI;

beforeAll(async () => {
  host = await startFakeLlmHost({ apiKey: KEY, models: [model, 'other/model'] });
  client = new OpenAI({ baseURL: host.url, apiKey: KEY, maxRetries: 0 });
});

afterAll(() => host.close());

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('models', () => {
  it('are listed as simulated', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id, owned_by }) => [id, owned_by])).toEqual([
      [model, 'morgan-simulated'],
      ['other/model', 'morgan-simulated'],
    ]);
  });

  it('are described one by one', async () => {
    await expect(client.models.retrieve('other/model')).resolves.toMatchObject({ id: 'other/model' });
    await expect(client.models.retrieve('gone')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });
});

describe('chat completions', () => {
  it('say that they are simulated and repeat the last message', async () => {
    const answer = await client.chat.completions.create({ model, messages });
    expect(answer).toMatchObject({
      object: 'chat.completion',
      model,
      system_fingerprint: 'simulated',
      choices: [{ index: 0, message: { role: 'assistant', content: ECHO }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 2, completion_tokens: 11, total_tokens: 13 },
    });
  });

  it('count the image parts of the message', async () => {
    const image = {
      type: 'image_url' as const,
      image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' },
    };
    const answer = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'look' }, image, image] }],
    });
    expect(answer.choices[0]?.message.content).toContain('You said: "look" and sent 2 more parts.');
  });

  it('stream the same text: role first, finish last, no usage unless asked for', async () => {
    const chunks = await all(await client.chat.completions.create({ model, messages, stream: true }));
    expect(chunks[0]?.choices).toMatchObject([{ delta: { role: 'assistant', content: '' } }]);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(ECHO);
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([
      ...Array.from({ length: 12 }, () => null),
      'stop',
    ]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.filter((chunk) => 'usage' in chunk)).toEqual([]);
  });

  it('put the usage into a last chunk without choices', async () => {
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    const chunks = await all(await client.chat.completions.create({ model, messages, ...options }));
    const last = chunks.pop();
    expect(last?.choices).toEqual([]);
    expect(last?.usage).toEqual({ prompt_tokens: 2, completion_tokens: 11, total_tokens: 13 });
    expect(chunks.every((chunk) => chunk.usage === null)).toBe(true);
  });

  it.each(['max_tokens', 'max_completion_tokens'])('honour %s', async (field) => {
    const answer = await client.chat.completions.create({ model, messages, [field]: 2 });
    expect(answer.choices[0]).toMatchObject({
      message: { content: '[simulated] No' },
      finish_reason: 'length',
    });
    expect(answer.usage?.completion_tokens).toBe(2);
  });

  it.each([{ stop: 'guage mo' }, { stop: ['nowhere', 'guage mo'] }])('honour %j', async ({ stop }) => {
    const answer = await client.chat.completions.create({ model, messages, stop });
    expect(answer.choices[0]).toMatchObject({
      message: { content: '[simulated] No lan' },
      finish_reason: 'stop',
    });
    const chunks = await all(await client.chat.completions.create({ model, messages, stop, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('[simulated] No lan');
  });

  it('give n different choices, interleaved in a stream', async () => {
    const answer = await client.chat.completions.create({ model, messages, n: 2 });
    const texts = answer.choices.map(({ message }) => message.content);
    expect(texts).toEqual([ECHO, `${ECHO} Choice 2.`]);
    const chunks = await all(await client.chat.completions.create({ model, messages, n: 2, stream: true }));
    const indexes = chunks.map((chunk) => chunk.choices[0]?.index);
    expect(indexes.slice(0, 6)).toEqual([0, 1, 0, 1, 0, 1]);
    for (const index of [0, 1]) {
      const own = chunks.filter((chunk) => chunk.choices[0]?.index === index);
      expect(own.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(texts[index]);
    }
  });

  const city = { type: 'string', enum: ['Oslo', 'Rome'] };
  const parameters = {
    type: 'object',
    properties: { city, days: { type: 'integer' }, unit: { type: 'string' } },
    required: ['city', 'days'],
  };
  const tools = ['time', 'weather'].map((name) => ({
    type: 'function' as const,
    function: { name, parameters },
  }));
  const weather = { type: 'function' as const, function: { name: 'weather' } };
  const WEATHER_ARGUMENTS = '{"city":"Oslo","days":0}';

  it('call a forced tool with arguments that fit its schema', async () => {
    const answer = await client.chat.completions.create({ model, messages, tools, tool_choice: weather });
    expect(answer.choices[0]).toMatchObject({
      message: {
        content: null,
        tool_calls: [{ type: 'function', function: { name: 'weather', arguments: WEATHER_ARGUMENTS } }],
      },
      finish_reason: 'tool_calls',
    });
  });

  it('stream a tool call that the client can put together', async () => {
    const runner = client.chat.completions.stream({ model, messages, tools, tool_choice: 'required' });
    const [choice] = (await runner.finalChatCompletion()).choices;
    expect(choice).toMatchObject({
      message: { tool_calls: [{ function: { name: 'time', arguments: WEATHER_ARGUMENTS } }] },
      finish_reason: 'tool_calls',
    });
  });

  it('leave tools alone that are not forced', async () => {
    const answer = await client.chat.completions.create({ model, messages, tools, tool_choice: 'auto' });
    expect(answer.choices[0]?.message).toMatchObject({ content: ECHO });
  });

  it.each([
    [{ type: 'json_object' as const }, { simulated: true }],
    [
      { type: 'json_schema' as const, json_schema: { name: 'trip', schema: parameters } },
      { city: 'Oslo', days: 0 },
    ],
  ])('answer in the format %j', async (response_format, expected) => {
    const answer = await client.chat.completions.create({ model, messages, response_format });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual(expected);
  });

  it('fill logprobs in, whole and streamed', async () => {
    const wanted = { model, messages, max_tokens: 2, logprobs: true, top_logprobs: 1 } as const;
    const whole = (await client.chat.completions.create(wanted)).choices[0]?.logprobs?.content ?? [];
    expect(whole.map(({ token, logprob }) => [token, logprob])).toEqual([
      ['[simulated]', -0.1],
      [' No', -0.3],
    ]);
    expect(whole[1]).toMatchObject({ bytes: [32, 78, 111], top_logprobs: [{ token: ' No' }] });
    const chunks = await all(await client.chat.completions.create({ ...wanted, stream: true }));
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.logprobs?.content ?? [])).toEqual(whole);
  });
});

describe('text completions', () => {
  const said = (prompt: string) => `[simulated] No language model continued this: "${prompt}".`;

  it('answer every prompt n times', async () => {
    const answer = await client.completions.create({ model, prompt: ['one', 'two words'], n: 2 });
    expect(answer.object).toBe('text_completion');
    expect(answer.choices.map(({ index, text }) => [index, text])).toEqual([
      [0, said('one')],
      [1, `${said('one')} Choice 2.`],
      [2, said('two words')],
      [3, `${said('two words')} Choice 2.`],
    ]);
    expect(answer.usage).toMatchObject({ prompt_tokens: 3 });
  });

  it.each([
    [[1, 2, 3], 3, 1],
    [[[1, 2], [3]], 3, 2],
  ])('take token ids: %j', async (prompt, tokens, choices) => {
    const answer = await client.completions.create({ model, prompt });
    expect(answer.choices).toHaveLength(choices);
    expect(answer.usage?.prompt_tokens).toBe(tokens);
  });

  it('stream, with logprobs, stop and usage', async () => {
    const options = { stop: ' model', logprobs: 1, stream_options: { include_usage: true } };
    const request = { model, prompt: 'one', ...options };
    const chunks = await all(await client.completions.create({ ...request, stream: true }));
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe('[simulated] No language');
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.logprobs?.text_offset ?? [])).toEqual([0, 11, 14]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 });
  });
});

describe('refusals', () => {
  const chat = (body: object) => () => client.chat.completions.create({ model, messages, ...body });

  it.each([
    ['an unknown model', chat({ model: 'gone' }), NotFoundError, 'model', 'model_not_found'],
    ['no messages', chat({ messages: [] }), BadRequestError, 'messages', 'invalid_value'],
    ['a message without role', chat({ messages: [{}] }), BadRequestError, 'messages', 'invalid_value'],
    ['no model', chat({ model: undefined }), BadRequestError, 'model', 'invalid_value'],
    ['a limit of nothing', chat({ max_tokens: 0 }), BadRequestError, 'max_tokens', 'invalid_value'],
    ['half a choice', chat({ n: 0.5 }), BadRequestError, 'n', 'invalid_value'],
    ['an empty stop', chat({ stop: '' }), BadRequestError, 'stop', 'invalid_value'],
    [
      'a prompt that is none',
      () => client.completions.create({ model, prompt: [] }),
      BadRequestError,
      'prompt',
      'invalid_value',
    ],
  ])('%s: the typed error of the official client', async (_, send, type, param, code) => {
    const refusal = send();
    await expect(refusal).rejects.toBeInstanceOf(type);
    await expect(refusal).rejects.toMatchObject({ param, code, type: 'invalid_request_error' });
  });

  it('a wrong API key', async () => {
    const stranger = new OpenAI({ baseURL: host.url, apiKey: 'wrong', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError);
  });

  it.each([
    ['POST', 'chat/completions', '{', 400, 'invalid_json'],
    ['POST', 'chat/completions', '[]', 400, 'invalid_json'],
    ['POST', 'embeddings', '{}', 404, 'unknown_url'],
    ['GET', 'nowhere', undefined, 404, 'unknown_url'],
  ])('%s %s with body %j: %i', async (method, path, body, status, code) => {
    const headers = { authorization: `Bearer ${KEY}` };
    const response = await fetch(`${host.url}/${path}`, { method, headers, ...(body ? { body } : {}) });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, message: expect.any(String) } });
  });
});
