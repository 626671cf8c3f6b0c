import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import { loadServiceConfig } from '@morgan/foundation';
import { listen, type LocalServer, postJson, waitFor } from '@morgan/testing';
import { composeLlmService, type ReloadableService } from '../compose.ts';
import { FOREIGN_SECTIONS, llmServiceConfig } from '../config/llm-service.config.ts';
import { digestOf } from './file.watcher.ts';

const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'hello' }] };
const SECRET = 'c4n4ry-c4n4ry';

let folder: string;
let file: string;
let one: FakeLlmHost;
let two: FakeLlmHost;
let service: ReloadableService | undefined;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-reload-'));
  file = join(folder, 'morgan.yaml');
  one = await startFakeLlmHost({ name: 'one' });
  two = await startFakeLlmHost({ name: 'two' });
});

afterEach(async () => {
  service?.app.getHttpServer().closeAllConnections();
  await service?.app.close();
  await service?.close();
  service = undefined;
  await Promise.all([one.close(), two.close(), rm(folder, { recursive: true })]);
});

/** A configuration with one host. */
const withHost = (name: string, hostUrl: string, more = '') =>
  `llmService:\n  upstream:\n    hosts:\n      - { name: ${name}, url: '${hostUrl}' }\n${more}`;

/** @param meanwhile happens between the reading of the file and the making of the service. */
async function start(meanwhile = () => Promise.resolve()) {
  const env = { MORGAN_CONFIG: file, LOG_LEVEL: 'silent' };
  const load = () => loadServiceConfig(llmServiceConfig, env, FOREIGN_SECTIONS);
  const digest = digestOf(file);
  const config = load();
  await meanwhile();
  service = await composeLlmService(config, { load, file, digest });
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
  await service.start();
  return service;
}

const chat = (body: object = CHAT, key = '') =>
  postJson(`${url}/v1/chat/completions`, body, { 'x-api-key': key });

const answeredBy = async () => {
  const response = await chat();
  await response.text();
  return response.headers.get('x-morgan-host');
};

const until = (name: string) =>
  waitFor(async () => (await answeredBy()) === name, { what: `an answer of ${name}`, timeoutMs: 10_000 });

const metric = async (line: string) =>
  (await (await fetch(`${url}/metrics`)).text())
    .split('\n')
    .find((each) => each.startsWith(line))
    ?.split(' ')
    .at(-1);

/** A host that begins an answer and ends it when the test says so. */
async function slowHost(): Promise<{ server: LocalServer; hostUrl: string; end: () => void }> {
  let open: ServerResponse | undefined;
  const event = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const server = await listen((request, response) => {
    // Only its first call is the live one.
    if (request.method === 'GET' || open) return response.writeHead(400).end('{}');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event({ content: 'begun' }, null));
    return (open = response);
  });
  const end = () => open?.end(`${event({ content: 'ended' }, null)}${event({}, 'stop')}data: [DONE]\n\n`);
  return { server, hostUrl: `${server.origin}/v1`, end };
}

describe('a changed configuration file', () => {
  it('is in force for new calls, and a live one ends under the old', async () => {
    const slow = await slowHost();
    await writeFile(file, withHost('slow', slow.hostUrl));
    await start();
    const live = await chat({ ...CHAT, stream: true });
    await writeFile(file, withHost('two', two.url));
    await until('two');
    slow.end();
    expect(await live.text()).toMatch(/begun[^]*ended[^]*\[DONE\]/);
    expect(live.headers.get('x-morgan-host')).toBe('slow');
    await slow.server.close();
  });

  it('is found when a ConfigMap puts another folder behind its links', async () => {
    const put = async (version: string, content: string) => {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'morgan.yaml'), content);
      await symlink(version, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await put('..v1', withHost('one', one.url));
    await symlink(join('..data', 'morgan.yaml'), file);
    await start();
    expect(await answeredBy()).toBe('one');
    await put('..v2', withHost('two', two.url));
    await until('two');
  });

  it('is found in another folder that was put in the place of its own', async () => {
    const own = join(folder, 'current');
    file = join(own, 'morgan.yaml');
    await mkdir(own);
    await writeFile(file, withHost('one', one.url));
    await start();
    await rename(own, join(folder, 'before'));
    const failed = 'morgan_config_reloads_total{outcome="failed"}';
    await waitFor(async () => (await metric(failed)) === '1', { what: 'the reload', timeoutMs: 10_000 });
    expect(await answeredBy()).toBe('one');
    await mkdir(own);
    await writeFile(file, withHost('two', two.url));
    await until('two');
    await writeFile(file, withHost('one', one.url));
    await until('one');
  });

  it('is found in a folder that was made anew, whose number may be that of the one before', async () => {
    const own = join(folder, 'current');
    file = join(own, 'morgan.yaml');
    await mkdir(own);
    await writeFile(file, withHost('one', one.url));
    await start();
    await rm(own, { recursive: true });
    await mkdir(own);
    await writeFile(file, withHost('two', two.url));
    await until('two');
    await writeFile(file, withHost('one', one.url));
    await until('one');
  });

  it('is found beside a file that is written to all the time', async () => {
    await writeFile(file, withHost('one', one.url));
    await start();
    const busy = setInterval(() => appendFileSync(join(folder, 'service.log'), 'line\n'), 50);
    await writeFile(file, withHost('two', two.url));
    await until('two').finally(() => clearInterval(busy));
  });

  it('is found where it came after the file was read and before it was watched', async () => {
    await writeFile(file, withHost('one', one.url));
    await start(() => writeFile(file, withHost('two', two.url)));
    await until('two');
  });

  it('with faults changes nothing, and one that is mended is in force', async () => {
    await writeFile(file, withHost('one', one.url));
    await start();
    await writeFile(file, withHost('two', `not a url`));
    const failed = 'morgan_config_reloads_total{outcome="failed"}';
    await waitFor(async () => (await metric(failed)) === '1', { what: 'the reload', timeoutMs: 10_000 });
    expect(await answeredBy()).toBe('one');
    expect(await metric('morgan_config_out_of_date')).toBe('1');
    await writeFile(file, withHost('two', two.url));
    await until('two');
    await waitFor(async () => (await metric('morgan_config_out_of_date')) === '0', { what: 'the gauge' });
    expect(await metric('morgan_config_reloads_total{outcome="applied"}')).toBe('1');
  });

  it('that says the same in another way is no reload of anything', async () => {
    await writeFile(file, withHost('one', one.url));
    const { reload } = await start();
    await writeFile(file, `# a comment\n${withHost('one', one.url)}`);
    expect(await reload('signal')).toEqual({
      outcome: 'unchanged',
      changed: [],
      needRestart: [],
      faults: [],
    });
  });
});

describe('the keys of callers', () => {
  const withKeys = (keys: string, more = '') =>
    withHost('one', one.url, `${more}auth: { apiKeys: [${keys}] }\n`);
  const statuses = (...keys: string[]) =>
    Promise.all(keys.map(async (key) => (await chat(CHAT, key)).status));

  it('are in force at once: a new one is admitted, and one that is gone is not', async () => {
    await writeFile(file, withKeys('old-key-1, kept-key-1'));
    const { reload } = await start();
    expect(await statuses('old-key-1', 'kept-key-1', 'new-key-1')).toEqual([200, 200, 401]);
    await writeFile(file, withKeys('kept-key-1, new-key-1'));
    expect(await reload('signal')).toMatchObject({
      outcome: 'applied',
      changed: ['auth.apiKeys'],
      needRestart: [],
    });
    expect(await statuses('old-key-1', 'kept-key-1', 'new-key-1')).toEqual([401, 200, 200]);
  });

  it('wait for a restart where none would be left, or one is that of operators', async () => {
    const admin = (key: string) => `  admin: { port: 0, apiKey: ${key} }\n`;
    await writeFile(file, withKeys('old-key-1', admin('admins-key-1')));
    const { reload } = await start();
    for (const other of [
      withHost('one', one.url, admin('admins-key-1')),
      withKeys('admins-key-1', admin('admins-key-2')),
    ]) {
      await writeFile(file, other);
      expect(await reload('signal')).toMatchObject({
        outcome: 'unchanged',
        needRestart: expect.arrayContaining(['auth.apiKeys']),
      });
      expect(await statuses('', 'admins-key-1', 'old-key-1')).toEqual([401, 401, 200]);
    }
  });
});

describe('the report of a reload', () => {
  it('names what is in force and what needs a restart, until it is restarted or taken back', async () => {
    await writeFile(file, withHost('one', one.url));
    const { reload } = await start();
    const more = `    connectTimeoutMs: 77\n    maxRestMs: 99\n  http: { port: 1 }\n  timeouts: { chatMs: 5 }\nauth: { apiKeys: [${SECRET}] }\n`;
    await writeFile(file, withHost('one', one.url, more));
    const needRestart = [
      'auth.apiKeys',
      'llmService.http.port',
      'llmService.timeouts.chatMs',
      'llmService.upstream.connectTimeoutMs',
    ];
    expect(await reload('admin')).toEqual({
      outcome: 'applied',
      changed: ['llmService.upstream.maxRestMs'],
      needRestart,
      faults: [],
    });
    expect(await reload('admin')).toEqual({ outcome: 'unchanged', changed: [], needRestart, faults: [] });
    expect(await answeredBy()).toBe('one');
  });

  it('has every fault and no secret', async () => {
    await writeFile(file, withHost('one', one.url));
    const { reload } = await start();
    const key = `, apiKey: '${SECRET} with a space'`;
    await writeFile(
      file,
      `llmService:\n  upstream:\n    hosts: [{ name: two, url: '${two.url}'${key} }]\n    probeIntervalMs: -1\n  nonsense: 1\n`,
    );
    const report = await reload('signal');
    expect(report.outcome).toBe('failed');
    expect(report.faults).toHaveLength(3);
    expect(JSON.stringify(report)).not.toContain(SECRET);
    await rm(file);
    expect(await reload('signal')).toMatchObject({
      outcome: 'failed',
      faults: [expect.stringContaining('ENOENT')],
    });
    expect(await answeredBy()).toBe('one');
  });
});
