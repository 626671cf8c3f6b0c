import { afterEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer } from '@morgan/testing';
import { chatModel } from './chat-model.ts';

const servers: LocalServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A service with a list of models for each time it is asked; the last one stays. */
async function serviceWith(...lists: (readonly string[])[]) {
  const server = await listen((_, response) => {
    const list = (lists.length > 1 ? lists.shift() : lists[0]) ?? [];
    response.end(JSON.stringify({ object: 'list', data: list.map((id) => ({ id })) }));
  });
  servers.push(server);
  return { origin: server.origin, env: {} };
}

const never = new AbortController().signal;

describe('the model of the banner', () => {
  it('is one that chats, though the list of embedding-service may be there first', async () => {
    const embedding = await serviceWith(['embedder']);
    const llm = await serviceWith([], ['embedder'], ['chatter', 'embedder']);
    expect(await chatModel({ llm, embedding, apiKey: undefined }, never)).toBe('chatter');
  });

  it('is none where none is listed', async () => {
    const embedding = await serviceWith(['embedder']);
    const ended = AbortSignal.abort();
    expect(await chatModel({ llm: embedding, embedding, apiKey: undefined }, ended)).toBeUndefined();
  });
});
