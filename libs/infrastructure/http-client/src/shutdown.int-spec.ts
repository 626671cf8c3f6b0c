import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runSourceProgram, waitFor } from '@morgan/testing';
import { respond, ScriptedServer, type Turn } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import type { HttpClientError } from './http-client-error.ts';

describe('stop', () => {
  it('leaves nothing: a process that uses every part of a client exits by itself', async () => {
    const printed = await runSourceProgram(join(import.meta.dirname, '../fixture/run-and-exit.ts'));
    expect(printed.trim().split('\n')).toEqual([
      'begun',
      'stream ended',
      'closed,closed,closed,closed,closed,closed',
      'begun',
    ]);
  });

  it('lets calls under way finish, and refuses new ones at once', async () => {
    let finish = () => undefined as void;
    const onDemand: Turn = (socket, request) => void (finish = () => respond(200, 'late')(socket, request));
    await using server = new ScriptedServer([onDemand]);
    const client = new HttpClient({
      serviceName: 'server',
      baseUrl: `http://127.0.0.1:${await server.listen()}`,
    });
    const call = client.get('/');
    await waitFor(() => server.requests.length === 1, { what: 'the request' });
    // Longer than this test may take.
    const stopped = client.stop(3_600_000);
    const refused = (await client.get('/').catch((error: unknown) => error)) as HttpClientError;
    expect(refused).toMatchObject({ category: 'closed', code: 'closed', attempt: 0, retryable: false });
    finish();
    expect((await call).text()).toBe('late');
    await stopped;
    expect(client.getStatus()).toMatchObject({ state: 'closed', inFlight: 0, requests: 1, errors: 0 });
  });

  it('waits for good for calls under way where it is told to', async () => {
    const late: Turn = (socket, request) => void setTimeout(() => respond(200, 'late')(socket, request), 50);
    await using server = new ScriptedServer([late]);
    const client = new HttpClient({
      serviceName: 'server',
      baseUrl: `http://127.0.0.1:${await server.listen()}`,
    });
    const call = client.get('/');
    await client.stop(Infinity);
    expect((await call).text()).toBe('late');
  });

  it('comes with the end of an `await using` block', async () => {
    await using server = new ScriptedServer([respond(200)]);
    const baseUrl = `http://127.0.0.1:${await server.listen()}`;
    let kept: HttpClient;
    {
      await using client = new HttpClient({ serviceName: 'server', baseUrl });
      kept = client;
      await client.get('/');
    }
    expect(kept.getStatus()).toMatchObject({ state: 'closed', pool: { connected: 0 } });
    await waitFor(() => server.sockets.size === 0, { what: 'the end of the connection' });
  });

  it('may be called twice: the first decides how long it waits', async () => {
    await using server = new ScriptedServer([() => undefined]);
    const client = new HttpClient({
      serviceName: 'server',
      baseUrl: `http://127.0.0.1:${await server.listen()}`,
    });
    const call = client.get('/').catch((error: unknown) => (error as HttpClientError).code);
    await waitFor(() => server.requests.length === 1, { what: 'the request' });
    await Promise.all([client.stop(10), client.stop(3_600_000)]);
    expect(await call).toBe('closed');
  });
});
