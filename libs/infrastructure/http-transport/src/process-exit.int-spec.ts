import { execFile } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, listen, type LocalServer, RUN_SOURCES, waitFor } from '@morgan/testing';

const authority = new CertificateAuthority('authority');
const credentials = authority.issue('localhost');

/** Far below the minute for which connections are kept and the grace lasts. */
const LONGEST_RUN_MS = 45_000;

/** Makes connections that are kept, asks for what never ends, and closes or does not. */
const PROGRAM = `
const { HttpTransport } = await import('@morgan/http-transport');
const { ORIGIN: origin, CA: ca, HANGING: hanging, GRACE_MS: graceMs } = process.env;
const transport = new HttpTransport({
  maxConnections: 3, maxKeepalive: 1, keepAliveTimeoutMs: 60_000, tls: { ca },
});
const ask = async (path) => (await transport.request({ origin, path, method: 'GET' })).bytes();
const answers = await Promise.all(Array.from({ length: 6 }, () => ask('/')));
const reasons = [];
const cut = hanging.split(' ').filter(Boolean).map((path) => ask(path).catch(({ reason }) => reasons.push(reason)));
if (graceMs) await transport.close(Number(graceMs));
await Promise.all(cut);
const held = process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout|AddrInfo/.test(name));
console.log(JSON.stringify({ answers: answers.map(String).join(''), reasons, held }));
`;

let server: LocalServer;

const listener: RequestListener = (request, response) => {
  if (request.url === '/') response.end('a');
  if (request.url === '/endless') response.write('first');
};
const servers: [string, () => Server | Http2SecureServer][] = [
  ['http', () => createServer({ keepAliveTimeout: 0 }, listener)],
  ['https', () => createTlsServer({ ...credentials, keepAliveTimeout: 0 }, listener)],
  ['https with HTTP/2', () => createSecureServer(credentials, listener as never)],
];

async function serve(make: () => Server | Http2SecureServer, name: string): Promise<string> {
  server = await listen(make());
  return `${name.split(' ')[0]}://localhost:${server.port}`;
}

async function run(environment: Record<string, string>): Promise<unknown> {
  const flags = [...RUN_SOURCES, '--input-type=module', '-e', PROGRAM];
  const env = { ...process.env, CA: authority.cert, ...environment };
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: LONGEST_RUN_MS, env });
  return JSON.parse(stdout);
}

afterEach(() => server.close());

describe.each(servers)('a process with a transport, over %s', (name, make) => {
  it('ends by itself once the transport is closed, with requests in flight and waiting', async () => {
    const ORIGIN = await serve(make, name);
    expect(await run({ ORIGIN, HANGING: '/hang /endless /hang /hang', GRACE_MS: '100' })).toEqual({
      answers: 'aaaaaa',
      reasons: ['closed', 'closed', 'closed', 'closed'],
      held: [],
    });
    await waitFor(() => server.sockets.size === 0, { what: 'no connection left' });
  });

  it('ends by itself before the grace is over where nothing is in flight', async () => {
    const ORIGIN = await serve(make, name);
    const outcome = await run({ ORIGIN, HANGING: '', GRACE_MS: '60000' });
    expect(outcome).toEqual({ answers: 'aaaaaa', reasons: [], held: [] });
    await waitFor(() => server.sockets.size === 0, { what: 'no connection left' });
  });

  it('ends by itself where nobody closes it and nothing is in flight', async () => {
    const ORIGIN = await serve(make, name);
    expect(await run({ ORIGIN, HANGING: '', GRACE_MS: '' })).toMatchObject({ answers: 'aaaaaa' });
  });
});
