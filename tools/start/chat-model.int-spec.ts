import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chatModel } from './chat-model.ts';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

/** A service with a list of models for each time it is asked; the last one stays. */
async function serviceWith(...lists: (readonly string[])[]) {
  const server = createServer((_, response) => {
    const list = (lists.length > 1 ? lists.shift() : lists[0]) ?? [];
    response.end(JSON.stringify({ object: 'list', data: list.map((id) => ({ id })) }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, env: {} };
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
