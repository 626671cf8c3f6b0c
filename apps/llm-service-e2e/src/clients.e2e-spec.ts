import Anthropic from '@anthropic-ai/sdk';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatOpenAI } from '@langchain/openai';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import { docRegion, type RunningService, startService } from '@morgan/testing';
import { generateObject, generateText, jsonSchema, type LanguageModel, streamText, tool } from 'ai';
import OpenAI, { AzureOpenAI } from 'openai';
import { ClientTable } from './client-table.ts';

const KEY = 'callers-key';
const messages = [{ role: 'user' as const, content: 'hello' }];
const parameters = { type: 'object' as const, properties: { city: { type: 'string' as const } } };
const tools = [{ type: 'function' as const, function: { name: 'look_up', parameters } }];
const ASKED = [{ role: 'user' as const, content: 'please look up Rome' }];
const AS_JSON = [{ role: 'user' as const, content: 'the city as JSON' }];
const schema = { ...parameters, required: ['city'], additionalProperties: false };

const HOSTS = ['simulated', 'aimock'];
const table = new ClientTable(HOSTS);

/** The same clients against a host of ours and against one that others keep. */
describe.each(HOSTS)('clients of the field, unchanged, with the model %s', (model) => {
  let own: FakeLlmHost;
  let chatOnly: FakeLlmHost;
  let other: LLMock;
  let gateway: RunningService;
  let openai: OpenAI;
  let anthropic: Anthropic;
  let langchain: ChatOpenAI;
  let ai: { model: LanguageModel; maxRetries: 0 };

  /** A test whose success is a cell of docs/clients.md. */
  const feature = (client: string, name: string, work: () => Promise<void>) =>
    it(`${client}: ${name}`, async () => {
      await work();
      table.add(client, name, model);
    });

  beforeAll(async () => {
    own = await startFakeLlmHost({ models: ['simulated'] });
    chatOnly = await startFakeLlmHost({ models: ['chat-only'], speaks: ['/v1/chat', '/v1/models'] });
    other = new LLMock({ port: 0 });
    other.onMessage(/look up/, { toolCalls: [{ name: 'look_up', arguments: '{"city":"Rome"}' }] });
    other.onMessage(/as JSON/, { content: '{"city":"Rome"}' });
    other.onMessage('hello', { content: 'You said: "hello"' });
    await other.start();
    const route = (name: string, host: string) => ({ model: name, tiers: [[{ host }]] });
    gateway = await startService({
      app: 'llm-service',
      env: {
        LLM_HOSTS: `own=${own.url},other=${other.url}/v1,chat-only=${chatOnly.url}`,
        API_KEYS: KEY,
      },
      config: {
        llmService: {
          upstream: {
            routes: [route('simulated', 'own'), route('aimock', 'other'), route('chat-only', 'chat-only')],
          },
        },
      },
    });
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: KEY, maxRetries: 0 });
    anthropic = new Anthropic({ baseURL: gateway.url, apiKey: KEY, maxRetries: 0 });
    langchain = new ChatOpenAI({
      model,
      apiKey: KEY,
      maxRetries: 0,
      configuration: { baseURL: `${gateway.url}/v1` },
    });
    const provider = createOpenAICompatible({
      name: 'morgan',
      baseURL: `${gateway.url}/v1`,
      apiKey: KEY,
      supportsStructuredOutputs: true,
    });
    ai = { model: provider(model), maxRetries: 0 };
  });

  afterAll(async () => {
    await gateway.stop();
    await Promise.all([own.close(), other.stop(), chatOnly.close()]);
  });

  feature('openai', 'chat', async () => {
    const answer = await openai.chat.completions.create({ model, messages });
    expect(answer.choices[0]?.message.content).toContain('hello');
  });

  feature('openai', 'chat, streamed, with its helper', async () => {
    const helper = openai.chat.completions.stream({ model, messages });
    expect(await helper.finalContent()).toContain('hello');
  });

  feature('openai', 'token counts of a stream', async () => {
    const call = { model, messages, stream: true, stream_options: { include_usage: true } } as const;
    const counted: unknown[] = [];
    for await (const { usage } of await openai.chat.completions.create(call)) if (usage) counted.push(usage);
    expect(counted).toEqual([expect.objectContaining({ completion_tokens: expect.any(Number) })]);
  });

  feature('openai', 'tools', async () => {
    const choice = { type: 'function' as const, function: { name: 'look_up' } };
    const helper = openai.chat.completions.stream({ model, messages: ASKED, tools, tool_choice: choice });
    const { tool_calls: calls } = await helper.finalMessage();
    expect(calls?.[0]).toMatchObject({ type: 'function', function: { name: 'look_up' } });
  });

  feature('openai', 'structured output', async () => {
    const format = { type: 'json_schema' as const, json_schema: { name: 'place', strict: true, schema } };
    const helper = openai.chat.completions.stream({ model, messages: AS_JSON, response_format: format });
    expect(JSON.parse((await helper.finalContent()) ?? '')).toEqual({ city: expect.any(String) });
  });

  feature('openai', 'responses', async () => {
    const response = await openai.responses.create({ model, input: 'hello' });
    expect(response.output_text).toContain('hello');
  });

  feature('openai', 'responses, streamed, with its helper', async () => {
    const helper = openai.responses.stream({ model, input: 'hello' });
    expect((await helper.finalResponse()).output_text).toContain('hello');
  });

  feature('openai', 'errors as its own classes', async () => {
    const refused = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    await expect(refused.chat.completions.create({ model, messages })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    const empty = openai.chat.completions.create({ model, messages: [] });
    await expect(empty).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });

  feature('openai', "Azure's client", async () => {
    const azure = new AzureOpenAI({
      endpoint: gateway.url,
      apiKey: KEY,
      apiVersion: '2024-10-21',
      maxRetries: 0,
    });
    const answer = await azure.chat.completions.create({ model, messages });
    expect(answer.choices[0]?.message.content).toContain('hello');
  });

  feature('@anthropic-ai/sdk', 'messages', async () => {
    const answer = await anthropic.messages.create({ model, messages, max_tokens: 99 });
    expect(answer.content[0]).toMatchObject({ type: 'text' });
  });

  feature('@anthropic-ai/sdk', 'messages, streamed, with its helper', async () => {
    const text = await anthropic.messages.stream({ model, messages, max_tokens: 99 }).finalText();
    expect(text).toContain('hello');
  });

  feature('@anthropic-ai/sdk', 'tools', async () => {
    const called = await anthropic.messages
      .stream({
        model,
        max_tokens: 99,
        messages: ASKED,
        tools: [{ name: 'look_up', input_schema: parameters }],
        tool_choice: { type: 'tool', name: 'look_up' },
      })
      .finalMessage();
    expect(called.content).toContainEqual(expect.objectContaining({ type: 'tool_use', name: 'look_up' }));
  });

  feature('@anthropic-ai/sdk', 'errors as its own classes', async () => {
    const stranger = new Anthropic({ baseURL: gateway.url, apiKey: 'wrong', maxRetries: 0 });
    const refused = stranger.messages.create({ model, messages, max_tokens: 9 });
    await expect(refused).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(refused).rejects.toMatchObject({
      error: { type: 'error', error: { type: 'authentication_error' } },
    });
  });

  feature('@langchain/openai', 'an answer', async () => {
    expect((await langchain.invoke('hello')).text).toContain('hello');
  });

  feature('@langchain/openai', 'a stream', async () => {
    let text = '';
    for await (const chunk of await langchain.stream('hello')) text += chunk.text;
    expect(text).toContain('hello');
  });

  feature('@langchain/openai', 'tools', async () => {
    const { tool_calls: calls } = await langchain
      .bindTools(tools, { tool_choice: 'look_up' })
      .invoke('please look up Rome');
    expect(calls?.[0]).toMatchObject({ name: 'look_up' });
  });

  feature('ai + @ai-sdk/openai-compatible', 'an answer', async () => {
    expect((await generateText({ ...ai, prompt: 'hello' })).text).toContain('hello');
  });

  feature('ai + @ai-sdk/openai-compatible', 'a stream', async () => {
    expect(await streamText({ ...ai, prompt: 'hello' }).text).toContain('hello');
  });

  feature('ai + @ai-sdk/openai-compatible', 'tools', async () => {
    const inputSchema = jsonSchema<{ city: string }>(schema);
    const lookUp = tool({ inputSchema, execute: ({ city }) => Promise.resolve(`about ${city}`) });
    const { toolCalls } = await generateText({
      ...ai,
      prompt: 'please look up Rome',
      tools: { look_up: lookUp },
      toolChoice: { type: 'tool', toolName: 'look_up' },
    });
    expect(toolCalls[0]).toMatchObject({ toolName: 'look_up' });
  });

  feature('ai + @ai-sdk/openai-compatible', 'structured output', async () => {
    const { object } = await generateObject({
      ...ai,
      prompt: 'the city as JSON',
      schema: jsonSchema<{ city: string }>(schema),
    });
    expect(object).toEqual({ city: expect.any(String) });
  });

  // The other host does not count tokens, and always speaks Anthropic's API.
  if (model === 'aimock') return;

  feature('@anthropic-ai/sdk', 'count_tokens', async () => {
    const { input_tokens: count } = await anthropic.messages.countTokens({ model, messages });
    expect(count).toBeGreaterThan(0);
  });

  feature('@anthropic-ai/sdk', 'messages, to a host that has chat completions only', async () => {
    const call = { model: 'chat-only', messages, max_tokens: 99 };
    const answer = await anthropic.messages.create(call);
    expect(answer).toMatchObject({ type: 'message', stop_reason: 'end_turn' });
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
    const streamed = await anthropic.messages.stream(call).finalMessage();
    expect(streamed.content).toEqual(answer.content);
    const refused = anthropic.messages.create({
      ...call,
      messages: [
        { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'http://a/b' } }] },
      ],
    });
    await expect(refused).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });
});

describe('docs/clients.md', () => {
  it('has exactly what was seen', () => {
    expect(docRegion('docs/clients.md', 'clients', table.markdown)).toBe(table.markdown);
  });
});
