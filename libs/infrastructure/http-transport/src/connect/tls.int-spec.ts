import type { RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, listen, type LocalServer, waitFor } from '@morgan/testing';
import type { TransportTls } from '../http-transport.config.ts';
import { HttpTransport } from '../http-transport.ts';

const authority = new CertificateAuthority('authority');
const stranger = new CertificateAuthority('stranger');
const ca = authority.cert;

describe('TLS', () => {
  const transports: HttpTransport[] = [];
  const servers: LocalServer[] = [];
  const held: (() => void)[] = [];
  let holding = false;

  const serve = async (options: ServerOptions) => {
    const respond: RequestListener = (request, response) => {
      const socket = request.socket as TLSSocket & { servername?: string };
      const peer = socket.getPeerCertificate() as { subject?: { CN: string } };
      const answer = () =>
        response.end(JSON.stringify({ servername: socket.servername, client: peer.subject?.CN }));
      if (holding) held.push(answer);
      else answer();
    };
    const server = await listen(createServer(options, respond));
    servers.push(server);
    return server.port;
  };
  const ask = async (origin: string, tls?: TransportTls, lookup?: LookupFunction) => {
    const options = { maxConnections: 1, connectTimeoutMs: 20_000, keepAliveTimeoutMs: 1000 };
    const transport = new HttpTransport({ ...options, ...(tls ? { tls } : {}), lookup });
    transports.push(transport);
    const limits = { firstByteTimeoutMs: 20_000, idleTimeoutMs: 20_000 };
    const body = Buffer.from('{}');
    const response = await transport.request({ origin, path: '/', method: 'POST', body, ...limits });
    return JSON.parse((await response.bytes()).toString()) as { servername: unknown; client?: string };
  };

  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close(0)));
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  it('meets a server whose certificate comes from an authority of ours', async () => {
    const port = await serve(authority.issue('localhost', '127.0.0.1'));
    expect((await ask(`https://localhost:${port}`, { ca })).servername).toBe('localhost');
    expect((await ask(`https://127.0.0.1:${port}`, { ca: [stranger.cert, ca] })).servername).toBe(false);
  });

  it.each<[string, string, TransportTls | undefined, string]>([
    ['no authority of ours', 'localhost', undefined, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another authority', 'localhost', { ca: stranger.cert }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another name', 'elsewhere.example', { ca }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['another name than asked', 'localhost', { ca, servername: 'a.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('refuses a certificate from or for %s with tls_failed', async (_, name, tls, code) => {
    const port = await serve(authority.issue(name));
    await expect(ask(`https://localhost:${port}`, tls)).rejects.toMatchObject({
      reason: 'tls_failed',
      beforeResponse: true,
      cause: { code },
    });
  });

  it('accepts any certificate only where told to', async () => {
    const port = await serve(stranger.issue('elsewhere.example'));
    const { servername } = await ask(`https://localhost:${port}`, { rejectUnauthorized: false });
    expect(servername).toBe('localhost');
  });

  it('asks for the name that it is given (SNI), and verifies that name', async () => {
    const port = await serve(authority.issue('model.example'));
    const tls = { ca, servername: 'model.example' };
    expect((await ask(`https://127.0.0.1:${port}`, tls)).servername).toBe('model.example');
  });

  it('asks for a name without the dot that it may end in', async () => {
    const port = await serve(authority.issue('localhost'));
    const lookup: LookupFunction = (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);
    expect((await ask(`https://localhost.:${port}`, { ca }, lookup)).servername).toBe('localhost');
  });

  it('opens as many connections as there are requests, once it knows that the server has no HTTP/2', async () => {
    holding = true;
    const port = await serve(authority.issue('localhost'));
    const transport = new HttpTransport({ maxConnections: 4, tls: { ca } });
    transports.push(transport);
    const origin = `https://localhost:${port}`;
    const ask = async () => (await transport.request({ origin, path: '/', method: 'GET' })).bytes();
    const asked = Array.from({ length: 10 }, ask);
    await waitFor(() => held.length === 4, { what: 'four at once' });
    expect(transport.getStatus()[origin]).toMatchObject({ connected: 4, running: 4, waiting: 6 });
    holding = false;
    for (const answer of held.splice(0)) answer();
    await Promise.all(asked);
    expect(transport.getStatus()[origin]).toMatchObject({ opened: 4, running: 0, waiting: 0, faults: {} });
  });

  it('keeps to maxConnections when they grow too old while they are busy', async () => {
    holding = true;
    const port = await serve(authority.issue('localhost'));
    const transport = new HttpTransport({ maxConnections: 2, maxConnectionAgeMs: 20, tls: { ca } });
    transports.push(transport);
    const origin = `https://localhost:${port}`;
    const ask = async () => (await transport.request({ origin, path: '/', method: 'GET' })).bytes();
    const asked = [ask(), ask()];
    await waitFor(() => held.length === 2, { what: 'two at once' });
    const old = performance.now() + 30;
    await waitFor(() => performance.now() > old, { what: 'the connections to be old' });
    asked.push(ask());
    expect(transport.getStatus()[origin]).toMatchObject({ connected: 2, running: 2, waiting: 1 });
    holding = false;
    for (const answer of held.splice(0)) answer();
    await Promise.all(asked);
    // The third had a new connection, in the place of an old one.
    expect(transport.getStatus()[origin]).toMatchObject({ connected: 2, opened: 3, faults: {} });
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'with %s, where the server wants to know the client',
    (version) => {
      const serveMutual = () =>
        serve({
          ...authority.issue('localhost'),
          ca,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: version,
          maxVersion: version,
        });

      it('shows its certificate (mTLS)', async () => {
        const port = await serveMutual();
        const tls = { ca, ...authority.issue('gateway') };
        expect((await ask(`https://localhost:${port}`, tls)).client).toBe('gateway');
      });

      it('fails with tls_failed when it has none', async () => {
        const port = await serveMutual();
        const asked = ask(`https://localhost:${port}`, { ca });
        await expect(asked).rejects.toMatchObject({ reason: 'tls_failed', beforeResponse: true });
      });

      it('fails when its own comes from a stranger', async () => {
        const port = await serveMutual();
        const asked = ask(`https://localhost:${port}`, { ca, ...stranger.issue('gateway') });
        // Node's server closes without an alert. With TLS 1.3 our handshake is over by then: all we see is the end.
        const reason = version === 'TLSv1.3' ? 'reset' : 'tls_failed';
        await expect(asked).rejects.toMatchObject({ reason, beforeResponse: true });
      });
    },
  );
});
