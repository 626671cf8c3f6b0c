import { expect, it } from '@jest/globals';
import { listen } from '@morgan/testing';
import { sendBody } from './delivery.ts';

it('declares the length of the very body that it sends half of', async () => {
  let asked = 0;
  const content = { tokenCount: 1, body: () => 'xx'.repeat(++asked), events: () => [] };
  const pace = { timeToFirstTokenMs: 0, tokensPerSecond: 0 };
  await using server = await listen((_request, response) =>
    sendBody(response, content, pace, { kind: 'cut-in-stream', afterChunks: 1 }),
  );
  const response = await fetch(server.origin);
  await expect(response.text()).rejects.toThrow('terminated');
  expect(response.headers.get('content-length')).toBe('2');
});
