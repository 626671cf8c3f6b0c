import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { HostResponse } from '@morgan/distributed-llm';
import { silentLogger } from '@morgan/foundation';
import type { IncomingCall } from '../exchange/outbound-call.ts';
import { passResponse } from './pass-response.ts';

it('a whole answer leaves at the end of the turn, together with the others of it', async () => {
  const raw = new ServerResponse(new IncomingMessage(new Socket()));
  const watched: unknown[] = [];
  const reply = { raw, header: () => undefined, hijack: () => undefined, getHeaders: () => ({}) };
  const stalledReaders = { watch: (response: unknown) => watched.push(response) };
  const request = { server: { stalledReaders }, requestContext: { id: 'one' } };
  const whole = Buffer.from('{}');
  const response = { host: 'one', status: 200, attempts: 1, headers: [], whole };
  const seen: Buffer[] = [];
  const passed = passResponse(
    response as unknown as HostResponse,
    { reply, request } as unknown as IncomingCall,
    { logger: silentLogger, seen: (bytes) => seen.push(bytes) },
  );
  expect(passed).toBeUndefined();
  expect([raw.headersSent, raw.writableEnded]).toEqual([true, false]);
  await turn();
  expect(raw.writableEnded).toBe(true);
  // Nobody takes it: it has no connection.
  expect(watched).toEqual([raw]);
  expect(seen).toEqual([whole]);
});
