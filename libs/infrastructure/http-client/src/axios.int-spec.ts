import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AxiosTransportModule } from '@morgan/axios-transport';
import { waitFor } from '@morgan/testing';
import { firstValueFrom } from 'rxjs';
import { respond, ScriptedServer, type Turn, write } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import type { HttpClientSettings } from './http-client.config.ts';

let server: ScriptedServer;
let client: HttpClient;
let http: HttpService;

/** Nest's own `HttpService` over a client. */
async function serviceOver(turns: readonly Turn[], options: Partial<HttpClientSettings> = {}): Promise<void> {
  server = new ScriptedServer(turns);
  const baseURL = `http://127.0.0.1:${await server.listen()}`;
  client = new HttpClient({ serviceName: 'docs', baseUrl: baseURL, retry: { baseDelayMs: 1 }, ...options });
  const imports = [AxiosTransportModule.register({ sender: client, defaults: { baseURL } })];
  http = (await Test.createTestingModule({ imports }).compile()).get(HttpService);
}

const reset: Turn = (socket) => void socket.resetAndDestroy();

afterEach(async () => {
  await client.stop(0);
  await server.close();
});

describe('the HttpService of Nest over a client', () => {
  it('repeats what failed, and gives what came in the end', async () => {
    await serviceOver([respond(503), reset, respond(200, '{"a":1}', ['content-type: application/json'])]);
    const { status, data } = await firstValueFrom(http.post<{ a: number }>('/x', { b: 2 }));
    expect([status, data, server.requests.length]).toEqual([200, { a: 1 }, 3]);
    expect(client.getStatus().retry).toMatchObject({
      recovered: 1,
      attempts: { ok: 1, server_error: 1, connection: 1 },
    });
  });

  it.each([404, 503])('has %i as the error that axios makes of it, with its content', async (status) => {
    await serviceOver([respond(status, '{"why":"so"}')], { retry: { maxRetries: 0 } });
    await expect(firstValueFrom(http.get('/x'))).rejects.toMatchObject({
      isAxiosError: true,
      status,
      response: { data: { why: 'so' } },
    });
  });

  it('fails at once while the circuit is open', async () => {
    await serviceOver([respond(500)], { retry: { maxRetries: 0 }, circuitBreaker: { failureThreshold: 1 } });
    await firstValueFrom(http.get('/x')).catch(() => undefined);
    await expect(firstValueFrom(http.get('/x'))).rejects.toMatchObject({
      isAxiosError: true,
      cause: { code: 'circuit_open' },
    });
    expect(server.requests).toHaveLength(1);
  });

  it('repeats nothing that was sent where the client says so', async () => {
    await serviceOver([reset], { idempotent: false });
    await expect(firstValueFrom(http.post('/x', {}))).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.requests).toHaveLength(1);
  });

  it('breaks a streamed response with the error that axios makes of it', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n';
    await serviceOver([write(`${head}begun`, (socket) => socket.end())]);
    const { data } = await firstValueFrom(http.get<Readable>('/x', { responseType: 'stream' }));
    await expect(text(data)).rejects.toMatchObject({
      isAxiosError: true,
      cause: { reason: 'incomplete_body' },
    });
  });

  it('is for the service of the client alone', async () => {
    await serviceOver([respond(200)]);
    await expect(firstValueFrom(http.get('http://127.0.0.1:1/x'))).rejects.toMatchObject({
      isAxiosError: true,
      cause: { code: 'invalid_request' },
    });
  });

  it("ends with axios' own timeout", async () => {
    await serviceOver([() => undefined]);
    await expect(firstValueFrom(http.get('/x', { timeout: 50 }))).rejects.toMatchObject({
      code: 'ECONNABORTED',
    });
    await waitFor(() => server.sockets.size === 0, { what: 'the end of the connection' });
  });
});
