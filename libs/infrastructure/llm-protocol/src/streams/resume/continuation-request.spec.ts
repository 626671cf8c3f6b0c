import { describe, expect, it } from '@jest/globals';
import { continuationRequest } from './continuation-request.ts';

const sent = { text: 'One two', tokens: 2 };
const user = { role: 'user', content: 'Count.' };
const chat = { model: 'm', messages: [user], stream: true };

describe('continuationRequest', () => {
  it('asks each kind of host in its way', () => {
    const prefix = { role: 'assistant', content: 'One two' };
    expect(continuationRequest('chat', 'vllm', chat, sent)).toEqual({
      ...chat,
      continue_final_message: true,
      add_generation_prompt: false,
      messages: [user, prefix],
    });
    expect(continuationRequest('chat', 'prefix', chat, sent)).toEqual({
      ...chat,
      messages: [user, { ...prefix, prefix: true }],
    });
    expect(continuationRequest('chat', 'prefill', chat, sent)).toEqual({ ...chat, messages: [user, prefix] });
    expect(continuationRequest('messages', 'vllm', chat, sent)).toEqual({
      ...chat,
      messages: [user, prefix],
    });
  });

  it('puts the text behind the prompt of a text completion', () => {
    const body = { prompt: 'Count: ' };
    expect(continuationRequest('completions', 'vllm', body, sent)).toEqual({ prompt: 'Count: One two' });
    expect(continuationRequest('completions', 'vllm', { prompt: [1, 2] }, sent)).toBeUndefined();
    expect(continuationRequest('completions', 'vllm', { prompt: 'a', echo: true }, sent)).toBeUndefined();
  });

  it('leaves as much length as the caller allowed in all', () => {
    const limited = { ...chat, max_tokens: 10, max_completion_tokens: 1, min_tokens: 1 };
    expect(continuationRequest('chat', 'vllm', limited, sent)).toMatchObject({
      max_tokens: 8,
      max_completion_tokens: 1,
      min_tokens: 0,
    });
    const open = { ...chat, max_tokens: -1 };
    expect(continuationRequest('chat', 'prefill', open, sent)).toMatchObject({ max_tokens: -1 });
  });

  it('has nothing to offer where the text would not stand last or be refused', () => {
    const own = { ...chat, messages: [user, { role: 'assistant', content: 'One' }] };
    expect(continuationRequest('chat', 'vllm', own, sent)).toBeUndefined();
    expect(continuationRequest('chat', 'vllm', { ...chat, echo: true }, sent)).toBeUndefined();
    expect(continuationRequest('messages', 'prefill', chat, { text: 'One ', tokens: 1 })).toBeUndefined();
    expect(continuationRequest('responses', 'vllm', { input: 'x' }, sent)).toBeUndefined();
    expect(continuationRequest('plain', 'vllm', {}, sent)).toBeUndefined();
  });
});
