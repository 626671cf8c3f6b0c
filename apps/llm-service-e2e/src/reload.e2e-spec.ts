import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import {
  freePort,
  listen,
  type LocalServer,
  type LogLine,
  postJson,
  type RunningService,
  startService,
  waitFor,
} from '@morgan/testing';

const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'hello' }] };
const KEY = 'the-operators-key';
const SECRET = 'c4n4ry-c4n4ry';

let folder: string;
let file: string;
let two: FakeLlmHost;
let slow: LocalServer;
let slowUrl: string;
/** The live answer of the slow host. */
let live: ServerResponse | undefined;
let gateway: RunningService;
let adminPort: number;

const event = (delta: object, finish: string | null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-reload-'));
  file = join(folder, 'morgan.yaml');
  two = await startFakeLlmHost({ name: 'two' });
  live = undefined;
  slow = await listen((request, response) => {
    request.resume();
    if (request.method === 'GET') return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event({ content: 'begun' }, null));
    return (live = response);
  });
  slowUrl = `${slow.origin}/v1`;
  adminPort = await freePort();
  await writeFile(file, withHosts(`{ name: slow, url: '${slowUrl}' }`));
  const env = { MORGAN_CONFIG: file, ADMIN_PORT: String(adminPort), ADMIN_API_KEY: KEY };
  gateway = await startService({ app: 'llm-service', env });
});

afterEach(async () => {
  await gateway.stop();
  await slow.close();
  await Promise.all([two.close(), rm(folder, { recursive: true })]);
});

const withHosts = (...hosts: string[]) =>
  `llmService:\n  upstream:\n    hosts:\n${hosts.map((host) => `      - ${host}\n`).join('')}`;

const chat = (body: object = CHAT): Promise<Response> => postJson(`${gateway.url}/v1/chat/completions`, body);

const answeredBy = async (): Promise<string | null> => {
  const response: Response = await chat();
  await response.text();
  return response.headers.get('x-morgan-host');
};

const admin = async (path: string): Promise<Record<string, unknown>> => {
  const headers = { 'x-api-key': KEY };
  const response = await fetch(`http://127.0.0.1:${adminPort}/admin${path}`, { headers });
  return (await response.json()) as Record<string, unknown>;
};

const lines = (text: string): readonly LogLine[] => gateway.logs.filter(({ msg }) => msg === text);
const RELOADED = 'the configuration was loaded again';
const REFUSED = `${RELOADED} and has faults: nothing is changed`;

/** As editors and Kubernetes do it: whoever looks sees all of the one or all of the other. */
async function save(text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

describe.each([
  ['SIGHUP', 'signal', (): void => void gateway.process.kill('SIGHUP')],
  ['a change of the file', 'file', (): void => undefined],
] as const)('%s', (_, trigger, tell) => {
  it('puts a good file into force; a live call ends under the old one, and its host is gone after it', async () => {
    const open = await chat({ ...CHAT, stream: true });
    expect(open.headers.get('x-morgan-host')).toBe('slow');
    await save(withHosts(`{ name: two, url: '${two.url}' }`));
    tell();
    await waitFor(() => lines(RELOADED).length > 0, { what: 'the reload', timeoutMs: 10_000 });
    expect(lines(RELOADED).map((line) => line['outcome'])).toContain('applied');
    expect(await answeredBy()).toBe('two');
    expect((await admin('/hosts'))['hosts']).toMatchObject([{ name: 'two' }, { name: 'embedding-service' }]);
    live?.end(`${event({ content: 'ended' }, null)}${event({}, 'stop')}data: [DONE]\n\n`);
    expect(await open.text()).toMatch(/begun[^]*ended[^]*\[DONE\]/);
    expect(await answeredBy()).toBe('two');
    const isSaid = () => lines(RELOADED).some((line) => line['trigger'] === trigger);
    await waitFor(isSaid, { what: 'what had it loaded' });
  });

  it('changes nothing where the file has faults, and logs each without a value', async () => {
    const bad = withHosts(
      `{ name: one, url: 'ftp://${SECRET}' }`,
      `{ name: two, url: '${two.url}', weight: -1, apiKy: ${SECRET} }`,
    );
    await save(`${bad}    strategy: fastest\n`);
    tell();
    await waitFor(() => lines(REFUSED).length > 0, { what: 'the refusal', timeoutMs: 10_000 });
    const faults = (lines(REFUSED)[0]?.['faults'] as string[]).join('\n');
    for (const part of ['hosts.0.url', 'hosts.1.weight', 'hosts.1.apiKy: no such key', 'upstream.strategy'])
      expect(faults).toContain(part);
    expect(JSON.stringify(gateway.logs)).not.toContain(SECRET);
    expect((await admin('/hosts'))['hosts']).toMatchObject([{ name: 'slow' }, { name: 'embedding-service' }]);
    expect(gateway.process.exitCode).toBeNull();
  });
});
