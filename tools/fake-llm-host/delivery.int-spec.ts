import { expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendBody } from './delivery.ts';

it('declares the length of the very body that it sends half of', async () => {
  let asked = 0;
  const content = { tokenCount: 1, body: () => 'xx'.repeat(++asked), events: () => [] };
  const pace = { timeToFirstTokenMs: 0, tokensPerSecond: 0 };
  const server = createServer((_request, response) => {
    void sendBody(response, content, pace, { kind: 'cut-in-stream', afterChunks: 1 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await expect(response.text()).rejects.toThrow('terminated');
  expect(response.headers.get('content-length')).toBe('2');
  server.close();
});
