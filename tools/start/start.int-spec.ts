import { afterAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { listen, postJson, waitFor } from '@morgan/testing';

const ROOT = join(import.meta.dirname, '../..');
const INHERITED = Object.fromEntries(
  ['PATH', 'HOME', 'NODE_COMPILE_CACHE'].map((name) => [name, process.env[name]]),
);

const NPM_START = ['tools/bootstrap.mjs', 'start'];
const WITHOUT_A_BUILD = ['tools/start/fixture/built-services.ts'];

/** Runs what `npm start` runs, on free ports and without the environment of the test run. */
function start(program: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, program, {
    cwd: ROOT,
    env: { ...INHERITED, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close').then(([code]) => code as number | null);
  let output = '';
  const collect = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return { child, closed, output: () => output };
}

/** What the banner tells the reader to type, as requests. */
function requestsOf(banner: string) {
  return [...banner.matchAll(/curl (-N )?(http\S+) .*\\\n\s+-d '(.*)'/g)].map(
    ([, , url = '', body = '']) => ({
      url,
      body,
    }),
  );
}

const post = ({ url, body }: { url: string; body: string }) => postJson(url, body);

const isRefused = (url: string) =>
  new Promise<boolean>((resolve) => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname, () => resolve(socket.destroy() && false));
    socket.once('error', () => resolve(true));
  });

describe('npm start', () => {
  const running: ChildProcess[] = [];
  // A test that failed has not stopped it.
  afterAll(() => running.forEach((child) => child.kill('SIGINT')));

  it('runs everything, shows requests that work, and stops cleanly', async () => {
    const { child, closed, output } = start(NPM_START);
    running.push(child);
    const isUp = () => output().includes('Ctrl-C stops everything') || child.exitCode !== null;
    await waitFor(isUp, { what: 'the banner', timeoutMs: 60_000 });
    const requests = requestsOf(output());
    expect(requests).toHaveLength(3);
    const [chat, stream, embeddings] = await Promise.all(requests.map(async (r) => (await post(r)).text()));
    expect(chat).toContain('[simulated]');
    expect(stream).toContain('data: [DONE]');
    expect(embeddings).toContain('"embedding"');
    expect(output()).toMatch(/^SIMULATED: /m);

    child.kill('SIGINT');
    expect(await closed).toBe(0);
    expect(output()).toMatch(/Stopped\.\n$/);
    expect(await Promise.all(requests.map(({ url }) => isRefused(url)))).toEqual([true, true, true]);
  });

  it('ends with one sentence when a port is in use', async () => {
    await using taken = await listen(createServer());
    const { port } = taken;
    const { closed, output } = start(NPM_START, { PORT: String(port) });
    expect(await closed).toBe(1);
    expect(output()).toBe(
      `Morgan could not start: Port ${port} on 127.0.0.1 is in use; choose another one with PORT.\n`,
    );
  });

  it('shows the faults of a broken configuration and stops what runs already', async () => {
    const { closed, output } = start(WITHOUT_A_BUILD, { LLM_HOSTS: 'nonsense' });
    expect(await closed).toBe(1);
    expect(output()).toContain('llm-service cannot start. The configuration has 1 fault:');
    // On the standard error, whose lines may come before those of the log.
    expect(output()).toMatch(/^llm-service ended with code 1; .*everything else was stopped\.$/m);
  });
});
