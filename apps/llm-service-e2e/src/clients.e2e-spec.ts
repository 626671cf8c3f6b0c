import Anthropic from '@anthropic-ai/sdk';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatOpenAI } from '@langchain/openai';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import { type RunningService, startService } from '@morgan/testing';
import { generateText, streamText } from 'ai';
import OpenAI, { AzureOpenAI } from 'openai';

const KEY = 'callers-key';
const messages = [{ role: 'user' as const, content: 'hello' }];
const parameters = { type: 'object' as const, properties: { city: { type: 'string' } } };
const tools = [{ type: 'function' as const, function: { name: 'look_up', parameters } }];

/** The same clients against a host of ours and against one that others keep. */
describe.each(['simulated', 'aimock'])('clients of the field, unchanged, with the model %s', (model) => {
  let own: FakeLlmHost;
  let chatOnly: FakeLlmHost;
  let other: LLMock;
  let gateway: RunningService;
  let openai: OpenAI;
  let anthropic: Anthropic;

  beforeAll(async () => {
    own = await startFakeLlmHost({ models: ['simulated'] });
    chatOnly = await startFakeLlmHost({ models: ['chat-only'], speaks: ['/v1/chat', '/v1/models'] });
    other = new LLMock({ port: 0 });
    other.onMessage(/look up/, { toolCalls: [{ name: 'look_up', arguments: '{"city":"Rome"}' }] });
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
  });

  afterAll(async () => {
    await gateway.stop();
    await Promise.all([own.close(), other.stop(), chatOnly.close()]);
  });

  it('openai: chat, and its stream helper', async () => {
    const answer = await openai.chat.completions.create({ model, messages });
    expect(answer.choices[0]?.message.content).toContain('hello');
    const helper = openai.chat.completions.stream({ model, messages });
    expect(await helper.finalContent()).toContain('hello');
  });

  it('openai: tools', async () => {
    const asked = [{ role: 'user' as const, content: 'please look up Rome' }];
    const choice = { type: 'function' as const, function: { name: 'look_up' } };
    const helper = openai.chat.completions.stream({ model, messages: asked, tools, tool_choice: choice });
    const { tool_calls: calls } = await helper.finalMessage();
    expect(calls?.[0]).toMatchObject({ type: 'function', function: { name: 'look_up' } });
  });

  it('openai: responses', async () => {
    const response = await openai.responses.create({ model, input: 'hello' });
    expect(response.output_text).toContain('hello');
    const helper = openai.responses.stream({ model, input: 'hello' });
    expect((await helper.finalResponse()).output_text).toContain('hello');
  });

  it("openai: Azure's client", async () => {
    const azure = new AzureOpenAI({
      endpoint: gateway.url,
      apiKey: KEY,
      apiVersion: '2024-10-21',
      maxRetries: 0,
    });
    const answer = await azure.chat.completions.create({ model, messages });
    expect(answer.choices[0]?.message.content).toContain('hello');
  });

  it('anthropic: messages, stream and tools', async () => {
    const answer = await anthropic.messages.create({ model, messages, max_tokens: 99 });
    expect(answer.content[0]).toMatchObject({ type: 'text' });
    const text = await anthropic.messages.stream({ model, messages, max_tokens: 99 }).finalText();
    expect(text).toContain('hello');
    const called = await anthropic.messages
      .stream({
        model,
        max_tokens: 99,
        messages: [{ role: 'user', content: 'please look up Rome' }],
        tools: [{ name: 'look_up', input_schema: parameters }],
        tool_choice: { type: 'tool', name: 'look_up' },
      })
      .finalMessage();
    expect(called.content).toContainEqual(expect.objectContaining({ type: 'tool_use', name: 'look_up' }));
  });

  it('anthropic: errors are those that the client knows', async () => {
    const stranger = new Anthropic({ baseURL: gateway.url, apiKey: 'wrong', maxRetries: 0 });
    const refused = stranger.messages.create({ model, messages, max_tokens: 9 });
    await expect(refused).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(refused).rejects.toMatchObject({
      error: { type: 'error', error: { type: 'authentication_error' } },
    });
  });

  it('langchain: an answer and a stream', async () => {
    const chat = new ChatOpenAI({
      model,
      apiKey: KEY,
      maxRetries: 0,
      configuration: { baseURL: `${gateway.url}/v1` },
    });
    expect((await chat.invoke('hello')).text).toContain('hello');
    let text = '';
    for await (const chunk of await chat.stream('hello')) text += chunk.text;
    expect(text).toContain('hello');
  });

  it('ai: an answer and a stream', async () => {
    const provider = createOpenAICompatible({ name: 'morgan', baseURL: `${gateway.url}/v1`, apiKey: KEY });
    const call = { model: provider(model), prompt: 'hello', maxRetries: 0 };
    expect((await generateText(call)).text).toContain('hello');
    expect(await streamText(call).text).toContain('hello');
  });

  it('anthropic: a host that has chat completions only', async () => {
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

  it('anthropic: how many tokens there are', async () => {
    const { input_tokens: count } = await anthropic.messages.countTokens({ model: 'simulated', messages });
    expect(count).toBeGreaterThan(0);
  });
});
